// What is backed up: whose snapshot it is, and where it lies on the disk.

import { lstat, realpath, stat } from 'node:fs/promises';
import { hostname, userInfo } from 'node:os';
import { resolve } from 'node:path';
import { EngineError, systemCodeOf } from '#engine/base/errors.ts';
import type { SnapshotSource } from '#engine/format/snapshot-manifest.ts';

export interface SourceRequest {
  /** A directory, a file or a block device; links on the way to it are followed. */
  readonly path: string;
  /** Whose snapshot it is; what is left out is this user, this host, and the path in full. */
  readonly source?: { readonly user?: string; readonly host?: string; readonly path?: string };
}

export function sourceOf({ source = {}, path }: SourceRequest): SnapshotSource {
  return {
    host: source.host ?? hostname(),
    userName: source.user ?? userInfo().username,
    path: source.path ?? resolve(path),
  };
}

/** Where a link to a file leads: below the root links are not followed, and a file has no below. */
export async function rootOf(path: string): Promise<Uint8Array> {
  const isLink = (await lstat(path)).isSymbolicLink();
  const root = isLink ? await realpath(path, 'buffer') : Buffer.from(resolve(path));
  return new Uint8Array(root);
}

export type SourceKind = 'directory' | 'file' | 'device';

/** What is at `path`; `device` is one of blocks. @throws SOURCE_NOT_FOUND, SOURCE_UNREADABLE */
export async function sourceKindOf(path: string): Promise<SourceKind> {
  try {
    const found = await stat(path);
    if (found.isDirectory()) return 'directory';
    if (found.isFile()) return 'file';
    if (found.isBlockDevice()) return 'device';
  } catch (error) {
    const code = systemCodeOf(error) === 'ENOENT' ? 'SOURCE_NOT_FOUND' : 'SOURCE_UNREADABLE';
    const message =
      `cannot back up ${path}: ${systemCodeOf(error) ?? 'unknown error'}; check the path ` +
      'and who may read it';
    throw new EngineError(code, message, { cause: error });
  }
  const text = `cannot back up ${path}: it is no directory, file or block device`;
  throw new EngineError('SOURCE_UNREADABLE', text);
}

export function baseName(path: string): string {
  return path.replace(/\/+$/, '').split('/').at(-1) || '/';
}
