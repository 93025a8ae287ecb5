// A KubeClient for scenarios whose pods are a map and nowhere else.

import { PODS } from '#kube/core-resources.ts';
import type { Pod } from '#agent/moves/objects/pod.ts';
import type { KubeClient } from '#kube/kube-client.ts';
import type { ObjectKey } from '#kube/kube-object.ts';

/** Deleting a pod takes it out of `pods`, as its kubelet and the informer would. */
export function clientWithPods(client: KubeClient, pods: Map<ObjectKey, Pod>): KubeClient {
  return {
    get: (...of) => client.get(...of),
    list: (...of) => client.list(...of),
    create: (...of) => client.create(...of),
    replace: (...of) => client.replace(...of),
    patch: (...of) => client.patch(...of),
    read: (...of) => client.read(...of),
    watch: (...of) => client.watch(...of),
    delete: async (resource, name, options) => {
      if (resource !== PODS) return client.delete(resource, name, options);
      pods.delete(`${name.namespace}/${name.name}`);
    },
  };
}
