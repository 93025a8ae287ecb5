// What a simulation is made of. All of it and the seed together say what happens.

import { parseArgs } from 'node:util';
import { DEFAULT_LIMITS, type SlotLimits } from '#controller/slots/slot-limits.ts';

const FAULTS = [
  'delay',
  'loss',
  'duplication',
  'partition',
  'agent-kill',
  'controller-kill',
] as const;

export type Faults = Readonly<Record<(typeof FAULTS)[number], boolean>>;

/** Parts of the protocol that can be taken away, to see that it is noticed. */
export const BREAKS = ['fencing', 'warming', 'leases', 'limits', 'gangs'] as const;
export type Break = (typeof BREAKS)[number];

export interface SimulationOptions {
  readonly seed: number;
  readonly nodeCount: number;
  readonly volumeCount: number;
  readonly namespaceCount: number;
  readonly faults: Faults;
  readonly broken?: Break;
}

/** `all`, `none`, or names with commas between. */
export function faultsOf(text: string): Faults {
  const names = text === 'all' ? FAULTS : text === 'none' ? [] : text.split(',');
  const unknown = names.filter(name => !FAULTS.some(fault => fault === name));
  if (unknown.length > 0) throw new Error(`no such fault: ${unknown.join()}`);
  const entries = FAULTS.map(name => [name, names.some(other => other === name)] as const);
  // The keys are those of FAULTS.
  return Object.fromEntries(entries) as Faults;
}

/** One volume in ten of the nodes at once; waiting is weighed faster than in a cluster. */
export function simulatedLimits({ nodeCount }: SimulationOptions): SlotLimits {
  const clusterMax = Math.max(4, Math.floor(nodeCount / 10));
  return {
    ...DEFAULT_LIMITS,
    clusterMax,
    storageClassMax: { slow: Math.max(1, Math.floor(clusterMax / 4)) },
    locationMax: { far: Math.max(2, Math.floor(clusterMax / 3)) },
    ageingMs: 120_000,
  };
}

export function parseOptions(args: readonly string[]): SimulationOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      nodes: { type: 'string', default: '20' },
      volumes: { type: 'string', default: '300' },
      namespaces: { type: 'string', default: '400' },
      faults: { type: 'string', default: 'all' },
      seed: { type: 'string', default: String(Math.floor(Math.random() * 2 ** 32)) },
      break: { type: 'string' },
    },
  });
  const broken = BREAKS.find(name => name === values.break);
  if (values.break !== undefined && broken === undefined) {
    throw new Error(`--break takes one of ${BREAKS.join(', ')}`);
  }
  return {
    seed: countOf('seed', values.seed),
    nodeCount: countOf('nodes', values.nodes),
    volumeCount: countOf('volumes', values.volumes),
    namespaceCount: countOf('namespaces', values.namespaces),
    faults: faultsOf(values.faults),
    broken,
  };
}

function countOf(name: string, text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 0) throw new Error(`--${name} takes a whole number`);
  return value;
}
