// Settings of an upload that does nothing special.

import type { UploadRun } from '#engine/snapshot/upload/upload-tasks.ts';

export function uploadRun(more: Partial<UploadRun> = {}): UploadRun {
  const root = {
    ignoresFileErrors: false,
    ignoresDirectoryErrors: false,
    ignoresUnknownTypes: true,
  };
  return {
    runId: 1,
    root: new Uint8Array(),
    fileSplitter: 'FIXED-128K',
    repositorySplitter: 'FIXED-128K',
    compression: { kind: 'none' },
    metadataCompression: 'none',
    partBytes: 0,
    isNativeAllowed: true,
    excludes: undefined,
    changes: { forceHash: false, ignoreCtime: false, ignoreInode: false },
    errorRules: { root, below: new Map() },
    taskMsMax: 5000,
    stop: new SharedArrayBuffer(4),
    ...more,
  };
}
