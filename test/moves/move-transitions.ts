// Which phase may follow which: the state tables of Velero (pkg/controller of 1.16 and 1.18), with
// what differs here. The scenarios have to show all of it, and nothing else.

import type { VeleroVersion } from './move-stage.ts';

const SINCE_1_16 = ['New InProgress', 'InProgress Completed', 'InProgress Failed'];

const SINCE_1_17 = [
  'New Accepted',
  'Accepted Prepared',
  'Prepared InProgress',
  'InProgress Completed',
  'InProgress Failed',
  // Not ready in time.
  'Accepted Failed',
  'New Canceled',
  'Accepted Canceled',
  'Prepared Canceled',
  'InProgress Canceling',
  'Canceling Canceled',
  'Canceling Completed',
  'Canceling Failed',
  // Its agent is not there any more.
  'InProgress Canceled',
];

/** What cannot be done is refused before it is accepted. */
const OURS = ['New Failed'];
/** A cancel that the server would not count, and what is given back to a stock agent. */
const OURS_OF_BACKUPS = ['Prepared Failed', 'Prepared New'];

/** As `MoveStage.transitions` has them, sorted. */
export function moveTransitions(velero: VeleroVersion): string[] {
  const isOld = velero === '1.16';
  const all = [...(isOld ? SINCE_1_16 : SINCE_1_17), ...OURS];
  const backups = [...all, ...(isOld ? [] : OURS_OF_BACKUPS)];
  return [
    ...backups.map(text => `PodVolumeBackup ${text}`),
    ...all.map(text => `PodVolumeRestore ${text}`),
  ].sort();
}
