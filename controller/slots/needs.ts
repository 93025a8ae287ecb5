// What a unit needs: so many slots at each of its limits, from the narrowest limit to the widest.
// And what of a gang can begin together when nothing else runs, which is all of it unless a limit
// is less than the gang.

import type { Gauge } from './gauge.ts';
import { Placement } from './placement.ts';
import type { Volume } from './volume.ts';

export interface Part {
  readonly gauge: Gauge;
  readonly count: number;
}

export interface Need {
  /** Equal for equal needs. */
  readonly key: string;
  /** Nodes (none where they can be chosen), storage classes, locations, the cluster. */
  readonly stages: readonly (readonly Part[])[];
  /** Some volume can run on several nodes. */
  readonly isPlaceable: boolean;
  /** All nodes that are named. */
  readonly nodes: readonly Gauge[];
}

export function needOf(volumes: readonly Volume[], cluster: Gauge): Need {
  const isPlaceable = volumes.some(volume => volume.candidates.size > 1);
  const nodesOf = ({ candidates }: Volume) => [...candidates.keys()];
  const stages = [
    isPlaceable ? [] : partsOf(volumes, volume => nodesOf(volume)[0]),
    partsOf(volumes, volume => volume.gauges.storageClass),
    partsOf(volumes, volume => volume.gauges.location),
    [{ gauge: cluster, count: volumes.length }],
  ];
  const choices = isPlaceable
    ? volumes.map(volume => keyOf(nodesOf(volume).map(gauge => ({ gauge, count: 1 })))).sort()
    : [];
  const key = [...stages.map(keyOf), ...choices].join('|');
  return { key, stages, isPlaceable, nodes: [...new Set(volumes.flatMap(nodesOf))] };
}

/**
 * Volumes that can begin together when nothing else runs. Empty when one of them cannot run at all,
 * because a limit of its own is 0.
 */
export function firstWave(volumes: readonly Volume[], cluster: Gauge): readonly Volume[] {
  if (volumes.some(volume => isHeldBack(volume, cluster))) return [];
  const placement = new Placement(mostOf);
  const counts = new Map<Gauge, number>();
  return volumes.filter(volume => {
    const gauges = [volume.gauges.storageClass, volume.gauges.location, cluster];
    if (gauges.some(gauge => (counts.get(gauge) ?? 0) >= mostOf(gauge))) return false;
    if (!placement.add(volume)) return false;
    for (const gauge of gauges) counts.set(gauge, (counts.get(gauge) ?? 0) + 1);
    return true;
  });
}

/** The limit of 0 that keeps a volume from ever running; undefined when there is none. */
export function heldBackBy(volume: Volume, cluster: Gauge): Gauge | undefined {
  const nodes = [...volume.candidates.keys()];
  const gauges = [volume.gauges.storageClass, volume.gauges.location, cluster];
  if (nodes.every(node => mostOf(node) <= 0)) gauges.unshift(...nodes.slice(0, 1));
  return gauges.find(gauge => mostOf(gauge) <= 0);
}

function isHeldBack(volume: Volume, cluster: Gauge): boolean {
  return heldBackBy(volume, cluster) !== undefined;
}

function mostOf(gauge: Gauge): number {
  return gauge.max ?? Number.MAX_SAFE_INTEGER;
}

function partsOf(volumes: readonly Volume[], gaugeOf: (volume: Volume) => Gauge): Part[] {
  const counts = new Map<Gauge, number>();
  for (const volume of volumes) {
    const gauge = gaugeOf(volume);
    counts.set(gauge, (counts.get(gauge) ?? 0) + 1);
  }
  return [...counts].map(([gauge, count]) => ({ gauge, count }));
}

function keyOf(parts: readonly Part[]): string {
  return parts
    .map(({ gauge, count }) => `${gauge.index}x${count}`)
    .sort()
    .join();
}
