// One Velero for all tests of the suite that need it; it takes a quarter of a minute to start.

import type { Cluster } from '#test/cluster/cluster.ts';
import { Installation } from '#test/velero/installation.ts';

const installations = new WeakMap<Cluster, Promise<Installation>>();

/** With whatever agent the test before has left. */
export function veleroIn(cluster: Cluster): Promise<Installation> {
  const made =
    installations.get(cluster) ?? Installation.make(cluster, 'stock', { features: 'EnableCSI' });
  installations.set(cluster, made);
  return made;
}
