// What PodVolumeBackup, PodVolumeRestore, DataUpload and DataDownload have in common. There is no
// status subresource: spec and status are written together, under one resourceVersion.

import type { KubeObject, Resource } from '#kube/kube-object.ts';

/** Times are metav1.Time: RFC 3339 in UTC, whole seconds. */
export interface MoveStatus {
  readonly phase?: string;
  readonly message?: string;
  /** Since 1.17. */
  readonly acceptedTimestamp?: string;
  readonly startTimestamp?: string;
  readonly completionTimestamp?: string;
  readonly progress?: { readonly totalBytes?: number; readonly bytesDone?: number };
}

export interface MoveSpec {
  readonly backupStorageLocation: string;
  /** Whose volume it is; kinds of moves have it or not. */
  readonly pod?: PodReference;
  /** Its name in that pod. */
  readonly volume?: string;
  /** Since 1.17; set by a server that was restarted, by stock agents, by people. */
  readonly cancel?: boolean;
}

export interface MoveObject extends KubeObject {
  readonly spec: MoveSpec;
  readonly status?: MoveStatus;
}

/** corev1.ObjectReference, what is filled in. */
export interface PodReference {
  readonly kind?: string;
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
}

export function veleroResource(plural: string, kind: string, version = 'v1'): Resource {
  return Object.freeze({ group: 'velero.io', version, plural, kind, isNamespaced: true });
}
