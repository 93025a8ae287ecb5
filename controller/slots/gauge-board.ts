// All limits of the cluster with what is used of each. Gauges of storage classes and locations come
// with the first volume that names them and go with the last.

import type { SlotVolume } from '#proto/slot-messages.ts';
import { Gauge, type GaugeName } from './gauge.ts';
import type { SlotLimits } from './slot-limits.ts';

/** The gauges of one volume besides that of its node. */
export interface VolumeGauges {
  readonly storageClass: Gauge;
  readonly location: Gauge;
}

export interface GaugeUse extends GaugeName {
  readonly max: number | undefined;
  readonly used: number;
}

export class GaugeBoard {
  readonly cluster: Gauge;
  readonly nodes = new Map<string, Gauge>();
  readonly #storageClasses = new Map<string, Gauge>();
  readonly #locations = new Map<string, Gauge>();
  #limits: SlotLimits;

  constructor(limits: SlotLimits) {
    this.#limits = limits;
    this.cluster = new Gauge('cluster', '', limits.clusterMax);
  }

  setLimits(limits: SlotLimits): void {
    this.#limits = limits;
    this.cluster.max = limits.clusterMax;
    for (const gauge of this.#storageClasses.values()) {
      gauge.max = ownLimit(limits.storageClassMax, gauge.name);
    }
    for (const gauge of this.#locations.values()) {
      gauge.max = ownLimit(limits.locationMax, gauge.name);
    }
  }

  /** To be given back with `leave` when the volume neither waits nor moves any more. */
  enter(volume: SlotVolume): VolumeGauges {
    const { storageClassMax, locationMax } = this.#limits;
    const ofClass = { kind: 'storage-class', name: volume.storageClass } as const;
    const ofLocation = { kind: 'location', name: volume.location } as const;
    return {
      storageClass: enterGauge(this.#storageClasses, ofClass, storageClassMax),
      location: enterGauge(this.#locations, ofLocation, locationMax),
    };
  }

  leave({ storageClass, location }: VolumeGauges): void {
    storageClass.volumeCount -= 1;
    location.volumeCount -= 1;
    if (storageClass.volumeCount === 0) this.#storageClasses.delete(storageClass.name);
    if (location.volumeCount === 0) this.#locations.delete(location.name);
  }

  gauges(): Gauge[] {
    const maps = [this.nodes, this.#storageClasses, this.#locations];
    return [this.cluster, ...maps.flatMap(map => [...map.values()])];
  }

  uses(): GaugeUse[] {
    return this.gauges().map(({ kind, name, max, used }) => ({ kind, name, max, used }));
  }
}

/** One volume more counts there. */
function enterGauge(
  gauges: Map<string, Gauge>,
  { kind, name }: GaugeName,
  limits: Readonly<Record<string, number>>,
): Gauge {
  const gauge = gauges.get(name) ?? new Gauge(kind, name, ownLimit(limits, name));
  gauges.set(name, gauge);
  gauge.volumeCount += 1;
  return gauge;
}

function ownLimit(limits: Readonly<Record<string, number>>, name: string): number | undefined {
  return Object.hasOwn(limits, name) ? limits[name] : undefined;
}
