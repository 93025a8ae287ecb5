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
    let storageClass = this.#storageClasses.get(volume.storageClass);
    if (storageClass === undefined) {
      const { storageClass: name } = volume;
      storageClass = new Gauge('storage-class', name, ownLimit(storageClassMax, name));
      this.#storageClasses.set(name, storageClass);
    }
    let location = this.#locations.get(volume.location);
    if (location === undefined) {
      const { location: name } = volume;
      location = new Gauge('location', name, ownLimit(locationMax, name));
      this.#locations.set(name, location);
    }
    storageClass.volumeCount += 1;
    location.volumeCount += 1;
    return { storageClass, location };
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

function ownLimit(limits: Readonly<Record<string, number>>, name: string): number | undefined {
  return Object.hasOwn(limits, name) ? limits[name] : undefined;
}
