// A cluster in the middle of its work, as its controller tells of it.

import type { ClusterOverview } from '#proto/overview-messages.ts';
import type { SlotVolume } from '#proto/slot-messages.ts';

const MIB = 2 ** 20;

export function volumeOf(id: string, pod: string, volumeName: string): SlotVolume {
  const move = `PodVolumeBackup/daily-${id}`;
  const place = { namespace: 'shop', storageClass: '', location: 'default', gang: undefined };
  return { id, pod, ...place, move, volumeName };
}

export const OVERVIEW: ClusterOverview = {
  version: '0.1.0',
  leader: 'c-1',
  epoch: 7,
  isStarting: false,
  waitingCount: 2,
  waiting: [
    {
      volume: volumeOf('c', 'web-0', 'files'),
      priority: 5,
      waitedMs: 65_000,
      wait: { id: 'c', place: 1, cause: 'full', limit: { kind: 'node', name: 'n1' } },
      keptFor: '',
      nodes: ['n1'],
    },
    {
      volume: volumeOf('d', 'web-1', 'files'),
      priority: 0,
      waitedMs: 3_000,
      wait: { id: 'd', place: 2, cause: 'kept', limit: { kind: 'cluster', name: '' } },
      keptFor: 'c',
      nodes: ['n2'],
    },
  ],
  runningCount: 2,
  running: [
    {
      volume: volumeOf('a', 'db-0', 'data'),
      node: 'n1',
      runningMs: 12_000,
      grant: {
        ...{ epoch: 7, serial: 3, id: 'a', node: 'n1', number: 1 },
        reason: { kind: 'turn', priority: 5 },
      },
      progress: {
        ...{ id: 'a', kind: 'PodVolumeBackup', doneBytes: 5 * MIB, totalBytes: 20 * MIB },
        ...{ uploadBytesPerSecond: MIB, downloadBytesPerSecond: 0 },
        doneBytesPerSecond: 2 * MIB,
      },
    },
    {
      volume: volumeOf('b', 'db-1', 'data'),
      node: 'n2',
      runningMs: 2_000,
      grant: undefined,
      progress: undefined,
    },
  ],
  nodes: [
    {
      name: 'n1',
      isConnected: true,
      version: '0.1.0',
      connectedMs: 90_000,
      slotsUsed: 1,
      slotsMax: 1,
      waitingCount: 1,
      heartbeat: {
        diskFreeBytes: 900 * MIB,
        cache: {
          ...{ limitBytes: 400 * MIB, usedBytes: 100 * MIB, reservedBytes: 20 * MIB },
          evictionLineBytes: 300 * MIB,
        },
        memory: { usedBytes: 80 * MIB, limitBytes: 512 * MIB },
        moves: [],
        failed: [],
      },
      shares: {
        upload: { number: 3, bytesPerSecond: 2 * MIB },
        download: { number: 2, bytesPerSecond: undefined },
      },
    },
    {
      name: 'n2',
      isConnected: false,
      version: '',
      connectedMs: 0,
      slotsUsed: 1,
      slotsMax: 2,
      waitingCount: 1,
      heartbeat: undefined,
      shares: { upload: undefined, download: undefined },
    },
  ],
  slotsMax: 4,
  upload: { limit: 2 * MIB, given: 2 * MIB, used: MIB },
  download: { limit: undefined, given: undefined, used: 0 },
};
