// A page's view of a cluster, with whatever a test puts into it.

import type { StatusView } from '#controller/status-page/status-view.ts';
import type { NodeOverview } from '#proto/overview-messages.ts';
import { OVERVIEW } from '#test/controller/overview/sample-overview.ts';

export const GIB = 2 ** 30;
export const NOW_MS = Date.UTC(2026, 10, 28, 12, 0, 0);

export const FAILURE = Object.freeze({
  ...{ id: 'f', move: 'PodVolumeBackup/daily-f', namespace: 'shop', pod: 'web-0' },
  ...{ volumeName: 'files', phase: 'Failed', code: 'TARGET_FULL', message: 'it is full' },
  ...{ node: 'n1', endedAtMs: NOW_MS - 120_000 },
});

export function viewWith(changes: Partial<StatusView> = {}): StatusView {
  return {
    overview: OVERVIEW,
    rates: { outside: { uploadBytesPerSecond: 2 * 2 ** 20 }, windows: [] },
    failures: [FAILURE],
    nowMs: NOW_MS,
    ...changes,
  };
}

export interface NodeParts {
  readonly line?: number | undefined;
  readonly free?: number;
  readonly used?: number;
  readonly limit?: number;
}

export function nodeWith(
  name: string,
  { line = 10 * GIB, free = 100 * GIB, used = GIB, limit = 20 * GIB }: NodeParts = {},
): NodeOverview {
  return {
    ...{ name, isConnected: true, version: '1', connectedMs: 5_000 },
    ...{ slotsUsed: 0, slotsMax: 1, waitingCount: 0 },
    heartbeat: {
      diskFreeBytes: free,
      cache: { limitBytes: limit, usedBytes: used, reservedBytes: 0, evictionLineBytes: line },
      memory: { usedBytes: GIB / 4, limitBytes: GIB },
      ...{ moves: [], failed: [] },
    },
    shares: { upload: undefined, download: undefined },
  };
}
