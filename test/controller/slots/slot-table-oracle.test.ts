// The decision looks at lanes and heaps; the review sorts everybody and asks one by one. Both must
// say the same, whatever happened before.

import t from 'tap';
import type { SlotTable } from '#controller/slots/slot-table.ts';
import type { SlotRequest } from '#proto/slot-messages.ts';
import { newSeed, SeededRandom } from '#test/support/random.ts';
import { idsOf, newTable, requestOf } from './table-scene.ts';

const NODES = ['n1', 'n2', 'n3', 'n4', 'n5'];
const AGEING_MS = 20;

/**
 * What the table grants when it goes through the queue once. It does so again after a gang has
 * begun in waves, and where somebody who can run at several nodes may have other nodes in mind by
 * then: this is only the beginning then.
 */
function foretold(table: SlotTable, nowMs: number): { ids: string[]; isAll: boolean } {
  const ids: string[] = [];
  let isAll = true;
  for (const { unit, outcome } of table.review(nowMs)) {
    if (unit.volumes.some(({ candidates }) => candidates.size > 1)) isAll = false;
    if (outcome?.kind !== 'fits') continue;
    ids.push(...unit.wave.map(({ id }) => id));
    if (unit.wave.length < unit.volumes.length) return { ids, isAll: false };
  }
  return { ids, isAll };
}

class Scene {
  readonly random: SeededRandom;
  readonly table: SlotTable;
  readonly asked = new Map<string, string[]>();
  readonly held = new Map<string, string>();
  #count = 0;
  /** In half of all scenes. */
  readonly #hasChoice: boolean;

  constructor(seed: number) {
    this.random = new SeededRandom(seed);
    this.#hasChoice = this.random.once(2);
    const clusterMax = 1 + this.random.below(8);
    const limits = {
      clusterMax,
      storageClassMax: { slow: 1 + this.random.below(2) },
      locationMax: { far: this.random.below(3) },
      ageingMs: AGEING_MS,
      gatherMs: 3,
    };
    const slots = NODES.map(node => [node, 1 + this.random.below(3)] as const);
    this.table = newTable(limits, Object.fromEntries(slots));
  }

  act(nowMs: number): void {
    const { random, table } = this;
    const [waiting] = [...this.asked].at(random.below(Math.max(1, this.asked.size))) ?? [];
    switch (random.below(9)) {
      case 0:
      case 1:
      case 2:
      case 3:
        this.#ask(nowMs);
        break;
      case 4:
        if (waiting !== undefined) this.#withdraw(waiting);
        break;
      case 5:
        table.join(random.pick(NODES), random.below(4));
        break;
      default:
        for (const [id, node] of this.held) {
          if (!random.once(3)) continue;
          table.release(node, id);
          this.held.delete(id);
        }
    }
  }

  decide(nowMs: number): string[] {
    const grants = this.table.decide(nowMs);
    for (const { id, node } of grants) {
      this.asked.delete(id);
      this.held.set(id, node);
    }
    return idsOf(grants);
  }

  #ask(nowMs: number): void {
    const { random } = this;
    const id = `v${this.#count++}`;
    const facts: Partial<SlotRequest> = {
      namespace: random.pick(['a', 'b', 'c']),
      storageClass: random.pick(['fast', 'slow']),
      location: random.pick(['near', 'near', 'far']),
      priority: random.pick([0, 5, 5, 5, 9]),
      waitedMs: random.below(2 * AGEING_MS),
    };
    const gang = random.once(3) ? { key: `g${random.below(6)}` } : undefined;
    const nodes =
      this.#hasChoice && random.once(5)
        ? [random.pick(NODES), random.pick(NODES)]
        : [random.pick(NODES)];
    for (const node of nodes) this.table.ask(node, requestOf(id, { ...facts, gang }), nowMs);
    this.asked.set(id, nodes);
  }

  #withdraw(id: string): void {
    for (const node of this.asked.get(id) ?? []) this.table.withdraw(node, id);
    this.asked.delete(id);
  }
}

t.test('the quick decision is the one that looking at everybody gives', async t => {
  const seed = newSeed();
  t.comment(`seed ${seed}`);
  let grantCount = 0;
  for (let run = 0; run < 40; run++) {
    const scene = new Scene(seed + run);
    for (let nowMs = 0; nowMs < 400; nowMs++) {
      scene.act(nowMs);
      // Gangs gather with a decision; this one may grant, the next must do as foretold.
      if (scene.random.once(2)) continue;
      const settled = scene.table.review(nowMs).every(({ unit }) => unit.place !== undefined);
      const before = foretold(scene.table, nowMs);
      const ids = scene.decide(nowMs);
      grantCount += ids.length;
      const seen = before.isAll ? ids : ids.slice(0, before.ids.length);
      if (settled && seen.join() !== before.ids.join()) {
        t.strictSame(seen, before.ids, `run ${run} at ${nowMs}`);
        return;
      }
      const left = foretold(scene.table, nowMs);
      if (left.ids.length > 0) {
        t.strictSame(left.ids, [], `run ${run} at ${nowMs}: nobody waits who could begin`);
        return;
      }
      scene.table.check();
    }
  }
  t.ok(grantCount > 1000, `${grantCount} slots were granted`);
});
