// A backup that has begun, for what goes wrong in the middle of it.

import type { ApiObject } from '#test/cluster/api-client.ts';
import { createBackup, untilVolumeMoves } from './moves.ts';
import type { World } from './scenario.ts';
import { fillWithBytes } from './volume-content.ts';
import { Workload, type VolumeName } from './workload.ts';

export interface BegunOptions {
  /** Each of them has so many bytes that are new. */
  readonly bytes: number;
  readonly volumes?: readonly VolumeName[];
  /** By default of the backup's name. Another backup of one has no repository to wait for. */
  readonly namespace?: string;
  /** Times that claims of the namespace have been bound to a volume in the end. */
  readonly claims?: number;
  /** Of the Backup. */
  readonly annotations?: Readonly<Record<string, string>>;
}

/** A namespace with volumes, whose backup of that name has begun. */
export async function begin(
  { installation }: World,
  name: string,
  { bytes, namespace = name, volumes = ['data'], claims, annotations }: BegunOptions,
): Promise<Workload> {
  const workload = await Workload.start(installation.client, { namespace, volumes, claims });
  for (const volume of volumes) fillWithBytes(await workload.volumePath(volume), bytes);
  await createBackup(installation, name, { namespace, annotations });
  return workload;
}

/** The move of the one volume of a backup, as soon as it is so. */
export async function untilIs(
  { installation }: World,
  name: string,
  isSo: (move: ApiObject) => boolean,
): Promise<ApiObject> {
  const [move] = await untilVolumeMoves(installation, { kind: 'backup', name }, isSo);
  if (move === undefined) throw new Error(`backup ${name} has no volume`);
  return move;
}
