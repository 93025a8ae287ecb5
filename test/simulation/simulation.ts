// A cluster in virtual time: agents and a controller with their real bookkeeping, a network that
// loses, delays and doubles, nodes that are cut off, agents and controllers that are killed. The
// seed says all of it.

import type { SlotAnswer, SlotReport } from '#proto/slot-messages.ts';
import { SlotDesk } from '#controller/slots/slot-desk.ts';
import type { SlotLimits } from '#controller/slots/slot-limits.ts';
import { SeededRandom, underName } from '#test/support/random.ts';
import { Observer } from './observer.ts';
import { SimulatedAgent } from './simulated-agent.ts';
import { simulatedLimits, type SimulationOptions } from './simulation-options.ts';
import { UnreliableNetwork } from './unreliable-network.ts';
import { VirtualTime } from './virtual-time.ts';
import { makeVolumes, nodeNames, type SimulatedVolume } from './workload.ts';
import { withoutFences, withoutGangs } from './broken-protocol.ts';

export interface SimulationResult {
  readonly seed: number;
  readonly grants: number;
  readonly violations: number;
  /** By priority. */
  readonly longestWaitMs: Readonly<Record<string, number>>;
  readonly grantP99Ms: number;
  /** Moves that began without the controller. */
  readonly alone: number;
  readonly controllers: number;
  readonly virtualMs: number;
  readonly firstViolations: readonly string[];
}

const TICK_MS = 1_000;
const LOOK_MS = 5_000;
/** A night that is not over by then is stuck. */
const END_MS = 24 * 3_600_000;

export function simulate(options: SimulationOptions): SimulationResult {
  return underName(`seed ${options.seed}`, () => new Simulation(options).run());
}

class Simulation {
  readonly #options: SimulationOptions;
  readonly #limits: SlotLimits;
  readonly #random: SeededRandom;
  readonly #time = new VirtualTime();
  readonly #network: UnreliableNetwork;
  readonly #agents = new Map<string, SimulatedAgent>();
  readonly #volumes: ReadonlyMap<string, SimulatedVolume>;
  readonly #observer: Observer;
  /** Which node has a move, as the custom resource says. */
  readonly #accepted = new Map<string, SimulatedAgent>();
  readonly #undone: Set<string>;
  readonly #decisionMs: number[] = [];
  #epoch = 0;
  #desk: SlotDesk | undefined;
  #decidedRevision = -1;

  constructor(options: SimulationOptions) {
    this.#options = options;
    this.#limits = simulatedLimits(options);
    this.#random = new SeededRandom(options.seed);
    // What fences keep off is rare; without them it is to be seen soon.
    const copyOdds = options.broken === 'fencing' ? 3 : undefined;
    this.#network = new UnreliableNetwork(this.#time, this.#random, options.faults, copyOdds);
    const volumes = makeVolumes(options, this.#random);
    this.#volumes = new Map(volumes.map(volume => [volume.id, volume]));
    this.#undone = new Set(this.#volumes.keys());
    this.#observer = new Observer(this.#limits, this.#agents, this.#volumes);
  }

  run(): SimulationResult {
    for (const node of nodeNames(this.#options)) {
      this.#time.after(this.#random.below(5_000), () => this.#addAgent(node));
    }
    for (const volume of this.#volumes.values()) {
      this.#time.after(5_000 + volume.askedAtMs, () => this.#offer(volume));
    }
    this.#startController();
    this.#tick();
    this.#look();
    this.#trouble();
    while (this.#undone.size > 0 && this.#time.nowMs < END_MS && this.#time.step());
    this.#observer.sawUndone(this.#undone.size, this.#time.nowMs);
    return this.#result();
  }

  #result(): SimulationResult {
    const { grantCount, violationCount, violations, longestWaitMs, aloneCount } = this.#observer;
    const sorted = this.#decisionMs.sort((a, b) => a - b);
    const p99 = sorted[Math.floor(sorted.length * 0.99)] ?? 0;
    return {
      seed: this.#options.seed,
      grants: grantCount,
      violations: violationCount,
      longestWaitMs,
      grantP99Ms: Math.round(p99 * 1000) / 1000,
      alone: aloneCount,
      controllers: this.#epoch,
      virtualMs: this.#time.nowMs,
      firstViolations: violations,
    };
  }

  #addAgent(node: string): void {
    const facts = {
      node,
      slotsMax: 1 + this.#random.below(4),
      leaseMs: this.#limits.leaseMs,
      clockRate: 0.98 + this.#random.below(41) / 1000,
      clockOffsetMs: this.#random.below(1_000_000),
    };
    const agent = new SimulatedAgent(facts, this.#time, {
      send: (from, report) => this.#sendReport(from, report),
      start: (on, hold) => {
        const holder = this.#accepted.get(hold.id);
        if (!this.#undone.has(hold.id) || (holder !== undefined && holder !== on)) return false;
        this.#accepted.set(hold.id, on);
        this.#observer.sawStart(on, hold, this.#time.nowMs);
        this.#withdrawElsewhere(hold.id, on);
        return true;
      },
      end: (on, volume) => {
        this.#accepted.delete(volume.id);
        this.#undone.delete(volume.id);
        this.#withdrawElsewhere(volume.id, on);
      },
    });
    this.#agents.set(node, agent);
  }

  #offer(volume: SimulatedVolume): void {
    for (const node of volume.nodes) this.#agents.get(node)?.give(volume);
  }

  #withdrawElsewhere(id: string, on: SimulatedAgent): void {
    for (const node of this.#volumes.get(id)?.nodes ?? []) {
      if (node !== on.facts.node) this.#agents.get(node)?.take(id);
    }
  }

  #sendReport(agent: SimulatedAgent, report: SlotReport): void {
    const { broken } = this.#options;
    const sent = broken === 'gangs' ? withoutGangs(report) : report;
    this.#network.send(agent.facts.node, () => {
      const desk = this.#desk;
      const hearing = desk?.hear(sent, this.#time.nowMs);
      if (desk === undefined || hearing?.kind !== 'heard') return;
      const told = this.#decide();
      if (!told.has(report.node) || hearing.twins.length > 0) {
        this.#answer(desk, report.node, hearing.twins);
      }
    });
  }

  #answer(desk: SlotDesk, node: string, twins: readonly string[] = []): void {
    const answer = desk.answer(node, twins);
    const agent = this.#agents.get(node);
    if (answer === undefined || agent === undefined) return;
    this.#network.send(node, () => agent.hear(this.#tampered(agent, answer)));
  }

  #tampered(agent: SimulatedAgent, answer: SlotAnswer): SlotAnswer {
    return this.#options.broken === 'fencing' ? withoutFences(agent, answer) : answer;
  }

  /** Gives the nodes that were answered. */
  #decide(): Set<string> {
    const desk = this.#desk;
    const told = new Set<string>();
    if (desk === undefined || desk.table.revision === this.#decidedRevision) return told;
    const nowMs = this.#time.nowMs;
    const startMs = performance.now();
    const grants = desk.decide(nowMs);
    this.#decisionMs.push(performance.now() - startMs);
    if (!desk.isWarming(nowMs)) this.#decidedRevision = desk.table.revision;
    this.#observer.sawGrants(desk.table, grants, nowMs);
    for (const { node } of grants) told.add(node);
    for (const node of told) this.#answer(desk, node);
    return told;
  }

  #tick(): void {
    this.#desk?.expire(this.#time.nowMs);
    // Time alone makes gangs whole and requests overdue.
    this.#decidedRevision = -1;
    this.#decide();
    this.#time.after(TICK_MS, () => this.#tick());
  }

  #look(): void {
    const desk = this.#desk;
    const nowMs = this.#time.nowMs;
    if (desk !== undefined) this.#observer.look(desk.table, !desk.isWarming(nowMs), nowMs);
    this.#time.after(LOOK_MS, () => this.#look());
  }

  #startController(): void {
    const { broken, nodeCount } = this.#options;
    this.#epoch += 1;
    this.#decidedRevision = -1;
    this.#observer.sawNewController();
    const clusterMax = this.#limits.clusterMax + (broken === 'limits' ? 1 : 0);
    const leaseMs = broken === 'leases' ? 5_000 : this.#limits.leaseMs;
    const nodes = broken === 'warming' ? [] : nodeNames(this.#options);
    // Every second one does not know which agents there are.
    const isKnown = nodeCount > 0 && (this.#random.once(2) || broken === 'warming');
    this.#desk = new SlotDesk({
      epoch: this.#epoch,
      limits: { ...this.#limits, clusterMax, leaseMs },
      nodes: isKnown ? nodes : undefined,
      nowMs: this.#time.nowMs,
    });
  }

  #trouble(): void {
    const { faults } = this.#options;
    const agents = [...this.#agents.values()];
    const random = this.#random;
    const share = Math.max(1, Math.floor(agents.length / 50));
    for (let count = 0; count < share && agents.length > 0; count++) {
      if (faults.partition && random.once(6)) {
        this.#network.cutOff(random.pick(agents).facts.node, random.below(150_000));
      }
      if (faults['agent-kill'] && random.once(6)) this.#killAgent(random.pick(agents));
    }
    if (faults['controller-kill'] && random.once(30) && this.#desk !== undefined) {
      this.#desk = undefined;
      this.#time.after(random.below(20_000), () => this.#startController());
    }
    this.#time.after(10_000, () => this.#trouble());
  }

  #killAgent(agent: SimulatedAgent): void {
    const held = agent.holds.map(({ id }) => id);
    agent.kill(this.#random.below(90_000));
    for (const id of held) {
      if (this.#accepted.get(id) !== agent) continue;
      this.#accepted.delete(id);
      const volume = this.#volumes.get(id);
      for (const node of volume?.nodes ?? []) {
        const other = this.#agents.get(node);
        if (volume !== undefined && other !== agent) other?.give(volume);
      }
    }
  }
}
