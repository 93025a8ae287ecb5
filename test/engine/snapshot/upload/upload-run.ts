// Settings of an upload, a child directory and a large file that are nothing special.

import type { ChildDirectory, LargeFile, UploadRun } from '#engine/snapshot/upload/upload-tasks.ts';

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

export const metadataNamed = (name: string) => ({
  name: new Uint8Array(Buffer.from(name)),
  mode: 0o755,
  uid: 0,
  gid: 0,
  bytes: 0,
  mtimeSeconds: 100,
  mtimeNanoseconds: 0,
});

export function childNamed(name: string, more: Partial<ChildDirectory> = {}): ChildDirectory {
  return { ...metadataNamed(name), previous: undefined, ...more };
}

export function largeFile(more: Partial<LargeFile> = {}): LargeFile {
  const times = { ctimeSeconds: 1, ctimeNanoseconds: 0, stampIndex: 0 };
  const place = { inode: '7', device: '8:1' };
  return { ...metadataNamed('a'), bytes: 5_000_000, ...times, ...place, ...more };
}
