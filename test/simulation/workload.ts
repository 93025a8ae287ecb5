// Volumes as a night of backups brings them: most at once, of few large and many small namespaces;
// pods with one volume and with several, groups of pods, some larger than a limit; and volumes that
// any of the dedicated backup nodes can move.

import { PRIORITY_DEFAULT, type SlotVolume } from '#proto/slot-messages.ts';
import type { SeededRandom } from '#test/support/random.ts';
import type { SimulationOptions } from './simulation-options.ts';

export interface SimulatedVolume extends SlotVolume {
  readonly priority: number;
  /** Nodes that can move it. */
  readonly nodes: readonly string[];
  readonly askedAtMs: number;
  readonly durationMs: number;
}

const DURATION_MS_MIN = 2_000;
export const DURATION_MS_MAX = 120_000;
const BURST_MS = 30_000;
const NIGHT_MS = 1_200_000;

export function nodeNames({ nodeCount }: SimulationOptions): string[] {
  return Array.from({ length: nodeCount }, (_, index) => `node-${index}`);
}

export function makeVolumes(options: SimulationOptions, random: SeededRandom): SimulatedVolume[] {
  const nodes = nodeNames(options);
  const backupNodes = nodes.slice(0, Math.max(2, Math.floor(nodes.length / 100)));
  const volumes: SimulatedVolume[] = [];
  for (let pod = 0; volumes.length < options.volumeCount; pod++) {
    const count = Math.min(sizeOf(random), options.volumeCount - volumes.length);
    volumes.push(...makeGang({ pod, count, nodes, backupNodes, options, random }));
  }
  return volumes;
}

interface GangFacts {
  readonly pod: number;
  readonly count: number;
  readonly nodes: readonly string[];
  readonly backupNodes: readonly string[];
  readonly options: SimulationOptions;
  readonly random: SeededRandom;
}

function makeGang(facts: GangFacts): SimulatedVolume[] {
  const { pod, count, nodes, backupNodes, options, random } = facts;
  const isGroup = count > 2 && random.once(3);
  const isKnown = !random.once(3);
  const node = random.pick(nodes);
  const askedAtMs = random.once(5) ? random.below(NIGHT_MS) : random.below(BURST_MS);
  const shared = {
    // Half of all volumes are of a tenth of the namespaces.
    namespace: `ns-${random.below(Math.ceil(options.namespaceCount / (random.once(2) ? 10 : 1)))}`,
    priority: random.pick([0, PRIORITY_DEFAULT, PRIORITY_DEFAULT, PRIORITY_DEFAULT, 9]),
    location: random.once(4) ? 'far' : 'near',
    gang: count > 1 ? { key: `gang-${pod}`, count: isKnown ? count : undefined } : undefined,
  };
  return Array.from({ length: count }, (_, index) => ({
    ...shared,
    id: `volume-${pod}-${index}`,
    pod: isGroup ? `pod-${pod}-${index}` : `pod-${pod}`,
    storageClass: random.once(6) ? 'slow' : 'fast',
    nodes: count === 1 && random.once(20) ? backupNodes : [isGroup ? random.pick(nodes) : node],
    askedAtMs: askedAtMs + random.below(1000),
    durationMs: durationOf(random),
  }));
}

/** Most pods have one volume, a few have many. */
function sizeOf(random: SeededRandom): number {
  if (!random.once(4)) return 1;
  return random.once(20) ? 5 + random.below(6) : 2 + random.below(3);
}

/** Most are short. */
function durationOf(random: SeededRandom): number {
  const most = random.once(10) ? DURATION_MS_MAX : DURATION_MS_MAX / 6;
  return DURATION_MS_MIN + random.below(most - DURATION_MS_MIN);
}
