// Where the driver keeps volumes and snapshots: a directory each, with a tree `data` of a file
// system volume, or a sparse file `data` that is a device. A snapshot is a copy.

import { execFile } from 'node:child_process';
import { mkdir, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { RpcError } from './rpc-server.ts';

const run = promisify(execFile);
const COPY_MS_MAX = 120_000;

export type VolumeMode = 'Filesystem' | 'Block';

export interface StoredVolume {
  readonly id: string;
  readonly mode: VolumeMode;
  readonly bytes: number;
  /** A directory, or a file of so many bytes. */
  readonly path: string;
}

export interface StoredSnapshot extends StoredVolume {
  readonly sourceId: string;
  readonly createdAt: Date;
}

export class VolumeStore {
  readonly #home: string;
  readonly #volumes = new Map<string, StoredVolume>();
  readonly #snapshots = new Map<string, StoredSnapshot>();

  /** @param home directory of its own, which it makes */
  constructor(home: string) {
    this.#home = home;
  }

  get volumes(): readonly StoredVolume[] {
    return [...this.#volumes.values()];
  }

  get snapshots(): readonly StoredSnapshot[] {
    return [...this.#snapshots.values()];
  }

  volume(id: string): StoredVolume {
    return found(this.#volumes, id);
  }

  /** One that is there is returned as it is, as a request that is repeated asks for. */
  async createVolume(
    id: string,
    wanted: { readonly mode: VolumeMode; readonly bytes: number; readonly snapshotId?: string },
  ): Promise<StoredVolume> {
    const { mode, bytes, snapshotId } = wanted;
    const old = this.#volumes.get(id);
    if (old !== undefined) {
      if (old.mode === mode && old.bytes === bytes) return old;
      throw new RpcError('ALREADY_EXISTS', `volume ${id} is another one`);
    }
    const source = snapshotId === undefined ? undefined : found(this.#snapshots, snapshotId);
    if (source !== undefined && (source.mode !== mode || source.bytes > bytes)) {
      throw new RpcError('OUT_OF_RANGE', `snapshot ${source.id} does not fit into volume ${id}`);
    }
    const path = await this.#newPlace('volumes', id);
    if (source !== undefined) await copy(source.path, path);
    else if (mode === 'Filesystem') await mkdir(path);
    else await writeFile(path, '');
    if (mode === 'Block') await truncate(path, bytes);
    const volume = { id, mode, bytes, path };
    this.#volumes.set(id, volume);
    return volume;
  }

  async deleteVolume(id: string): Promise<void> {
    this.#volumes.delete(id);
    await rm(join(this.#home, 'volumes', id), { recursive: true, force: true });
  }

  async createSnapshot(id: string, sourceId: string): Promise<StoredSnapshot> {
    const old = this.#snapshots.get(id);
    if (old !== undefined) {
      if (old.sourceId === sourceId) return old;
      throw new RpcError('ALREADY_EXISTS', `snapshot ${id} is of another volume`);
    }
    const { mode, bytes, path: source } = found(this.#volumes, sourceId);
    const path = await this.#newPlace('snapshots', id);
    await copy(source, path);
    const snapshot = { id, sourceId, mode, bytes, path, createdAt: new Date() };
    this.#snapshots.set(id, snapshot);
    return snapshot;
  }

  async deleteSnapshot(id: string): Promise<void> {
    this.#snapshots.delete(id);
    await rm(join(this.#home, 'snapshots', id), { recursive: true, force: true });
  }

  /** For `data`; what a request that failed left there is gone. */
  async #newPlace(kind: 'volumes' | 'snapshots', id: string): Promise<string> {
    if (!/^[\w.-]+$/.test(id)) throw new RpcError('INVALID_ARGUMENT', `${id} is no name`);
    const directory = join(this.#home, kind, id);
    await rm(directory, { recursive: true, force: true });
    await mkdir(directory, { recursive: true });
    return join(directory, 'data');
  }
}

function found<Kept>(all: ReadonlyMap<string, Kept>, id: string): Kept {
  const kept = all.get(id);
  if (kept === undefined) throw new RpcError('NOT_FOUND', `there is no ${id}`);
  return kept;
}

/**
 * All but flags that chattr(1) sets, and holes of a file that has as many blocks as one without:
 * cp takes it to have none.
 */
async function copy(from: string, to: string): Promise<void> {
  await stat(from);
  const words = ['--archive', '--reflink=auto', from, to];
  await run('cp', words, { timeout: COPY_MS_MAX });
}
