// Objects of the Kubernetes API as this program sees them: plain JSON, of which only what
// everything has is typed here. Who reads more brings a type of its own (agent/moves/objects/).

/** metav1.ObjectMeta, what of it is used. Fields that are not named here survive a rewrite. */
export interface ObjectMeta {
  readonly name: string;
  readonly namespace?: string;
  readonly generateName?: string;
  readonly uid?: string;
  /** Opaque; only ever compared for equality, and sent back as it came. */
  readonly resourceVersion?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly ownerReferences?: readonly OwnerReference[];
  readonly finalizers?: readonly string[];
  readonly creationTimestamp?: string;
  readonly deletionTimestamp?: string;
}

export interface OwnerReference {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
  readonly controller?: boolean;
}

export interface KubeObject {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata: ObjectMeta;
}

/** Since its creation, in milliseconds; the clock of the API server may differ from ours. */
export function ageMs({ creationTimestamp = '' }: ObjectMeta, nowMs: number): number {
  const createdMs = Date.parse(creationTimestamp);
  return Number.isNaN(createdMs) ? 0 : Math.max(0, nowMs - createdMs);
}

/** `namespace/name`, or `name` for what has no namespace: the key of caches and queues. */
export type ObjectKey = string;

export function keyOf({ metadata }: KubeObject): ObjectKey {
  return metadata.namespace === undefined
    ? metadata.name
    : `${metadata.namespace}/${metadata.name}`;
}

/** A collection of the API: `/apis/<group>/<version>/…/<plural>`, `/api/v1/…` for group ''. */
export interface Resource {
  readonly group: string;
  readonly version: string;
  readonly plural: string;
  readonly kind: string;
  readonly isNamespaced: boolean;
}

/** As objects name it. */
export function apiVersionOf({ group, version }: Resource): string {
  return group === '' ? version : `${group}/${version}`;
}

export interface ObjectName {
  readonly namespace?: string;
  readonly name: string;
}
