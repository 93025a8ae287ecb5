// Brings an image back to a block device: one that we have read from a device, or Velero's kopia,
// or any stored file. The size of the device is looked at before its first byte is written,
// contents are checked before they are written, and what is zero is neither fetched nor written:
// the device is told to have zeros there. When it resolves the device has everything.

import { constants } from 'node:fs';
import { abortedError, throwIfAborted } from '#engine/base/abort.ts';
import { ByteWindow } from '#engine/base/byte-window.ts';
import { systemClock } from '#engine/base/clock.ts';
import { EngineError, isEngineError, systemCodeOf } from '#engine/base/errors.ts';
import { mapBounded } from '#engine/base/map-bounded.ts';
import type { ContentSource, SealedRead, SealedSource } from '#engine/content/content-source.ts';
import { orAnew } from '#engine/content/or-anew.ts';
import { contentKey } from '#engine/format/content-id.ts';
import type { DirEntry } from '#engine/format/directory.ts';
import type { ManifestReader } from '#engine/manifest/manifest-store.ts';
import { type ObjectReader, openObject } from '#engine/object/object-reader.ts';
import { OpenBlockDevice } from '#engine/snapshot/source/block-device.ts';
import { findStoredPath, wrongLength } from '#engine/snapshot/stored-path.ts';
import { deviceFailure, requireBlank, tooSmall } from '#engine/snapshot/target/device-checks.ts';
import { TreeReader } from '#engine/snapshot/tree.ts';
import { TASKS_PER_THREAD, type TaskRunner } from '#engine/workers/tasks.ts';
import {
  type DeviceSection,
  deviceSections,
  partsOf,
  type PlacedContent,
  rangesOf,
  zeroCandidates,
} from './device-plan.ts';
import type { DeviceChunkInput, DeviceRun, DeviceTasks } from './device-tasks.ts';
import type { RestoreMemory, RestoreOptions, RestoreOutcome } from './restore.ts';
import { RestoreReport } from './restore-report.ts';

export interface DeviceRestoreRequest {
  /**
   * `ID`, the beginning of one, or `latest`: the snapshot of a device; `:/path` behind it for a
   * file.
   */
  readonly snapshot: string;
  /** Path of the device; links on the way to it are followed. */
  readonly target: string;
  /** Without it both ends of the device have to be blank. */
  readonly isOverwriting?: boolean;
}

export interface DeviceRestoreParts {
  readonly contents: ContentSource & SealedSource;
  readonly manifests: ManifestReader;
  readonly runner: TaskRunner<DeviceTasks>;
  /** A file that a worker thread can read a pack from by itself. */
  readonly localPath?: (packId: string) => string;
  readonly memory: Pick<RestoreMemory, 'restoreWindowBytes'>;
  readonly isNativeAllowed?: boolean;
}

/** An end of a cancelled restore waits for one of them. */
const ZEROS_BYTES_MAX = 256 << 20;

type DeviceSource =
  | { readonly path: string; readonly offset: number; readonly length: number }
  | { readonly bytes: Uint8Array<ArrayBuffer> };

let nextRunId = 1;

/**
 * Writes the image from the start of the device; what the device has behind it stays. A restore
 * that fails or is cancelled leaves a part of it.
 * @throws TARGET_TOO_SMALL, TARGET_NOT_EMPTY, TARGET_NOT_WRITABLE when it is in use, TARGET_FULL,
 *   SNAPSHOT_NOT_FOUND, SNAPSHOT_PATH_NOT_FOUND when it is no image, ABORTED; CONTENT_DAMAGED and
 *   the like
 */
export async function restoreDevice(
  parts: DeviceRestoreParts,
  request: DeviceRestoreRequest,
  options: RestoreOptions = {},
): Promise<RestoreOutcome> {
  const startMs = systemClock.monotonic();
  const { signal = new AbortController().signal } = options;
  throwIfAborted(signal);
  const { snapshot, entry } = await findImage(parts, request.snapshot, signal);
  const object = await openObject(parts.contents, entry.objectId, { signal });
  if (object.bytes !== entry.bytes) throw wrongLength(entry.name, entry, object.bytes);
  await using device = await openTarget(request.target);
  if (device.bytes < object.bytes) throw tooSmall(device, object.bytes);
  if (request.isOverwriting !== true) requireBlank(device);
  const report = new RestoreReport(options);
  report.bytesTotal = object.bytes;
  await new DeviceRestore(parts, device, { report, signal }).run(object);
  report.files = 1;
  return {
    status: 'Completed',
    snapshotId: snapshot.id,
    target: request.target,
    furtherTargets: [],
    files: 1,
    directories: 0,
    bytes: report.bytes,
    bytesFetched: report.bytesFetched,
    filesKept: 0,
    bytesPresent: 0,
    removed: 0,
    durationMs: Math.round(systemClock.monotonic() - startMs),
    differences: [],
    differenceCount: 0,
    missingCount: 0,
    differencesOmitted: 0,
    differencesByAttribute: {},
  };
}

/** The file that is asked for, or the only one in the directory that Velero makes of a device. */
async function findImage(
  parts: DeviceRestoreParts,
  reference: string,
  signal: AbortSignal,
): ReturnType<typeof findStoredPath> {
  const found = await findStoredPath(parts, reference, { signal });
  const { entry } = found;
  if (entry.type === 'f') return found;
  const reader = new TreeReader(parts.contents);
  const entries: readonly DirEntry[] =
    entry.type === 'd' ? await reader.readDirectory(entry.objectId, { signal }) : [];
  if (entries.length === 1 && entries[0].type === 'f') return { ...found, entry: entries[0] };
  const text = `cannot restore ${reference} to a device: it is no image of one`;
  throw new EngineError('SNAPSHOT_PATH_NOT_FOUND', `${text}; name a file in it, or a directory`);
}

async function openTarget(target: string): Promise<OpenBlockDevice> {
  let device: OpenBlockDevice | undefined;
  try {
    // On a device O_EXCL fails where it is mounted or a part of another one, and keeps others from
    // that as long as it is open (open(2)).
    device = await OpenBlockDevice.open(target, constants.O_RDWR | constants.O_EXCL);
  } catch (cause) {
    if (systemCodeOf(cause) === undefined) throw cause;
    throw deviceFailure('open', target, cause);
  }
  if (device) return device;
  const text = `cannot restore to ${target}: it is no block device`;
  throw new EngineError('TARGET_NOT_WRITABLE', `${text}; name one`);
}

interface DeviceRestoreState {
  readonly report: RestoreReport;
  readonly signal: AbortSignal;
}

class DeviceRestore {
  readonly #parts: DeviceRestoreParts;
  readonly #device: OpenBlockDevice;
  readonly #report: RestoreReport;
  readonly #signal: AbortSignal;
  readonly #run: DeviceRun;
  readonly #window: ByteWindow;
  /** Ids of zeros, by their length. */
  readonly #zeroIds = new Map<number, string>();

  constructor(
    parts: DeviceRestoreParts,
    device: OpenBlockDevice,
    { report, signal }: DeviceRestoreState,
  ) {
    this.#parts = parts;
    this.#device = device;
    this.#report = report;
    this.#signal = signal;
    this.#window = new ByteWindow(parts.memory.restoreWindowBytes);
    this.#run = {
      runId: nextRunId++,
      device: device.plain,
      isNativeAllowed: parts.isNativeAllowed ?? true,
      stop: new SharedArrayBuffer(4),
    };
  }

  /** However it ends, no thread has anything to do with the device any more. */
  async run(object: ObjectReader): Promise<void> {
    const stop = new Int32Array(this.#run.stop);
    const onAbort = (): void => void Atomics.store(stop, 0, 1);
    const signal = this.#signal;
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      this.#report.phase = 'restore';
      // What somebody has written before is no longer in the kernel's way when blocks are given
      // back.
      await this.#sync();
      for await (const section of deviceSections(object.chunks({ signal }))) {
        await this.#section(section);
      }
      await this.#sync();
    } catch (error) {
      onAbort();
      throw signal.aborted ? abortedError(signal) : error;
    } finally {
      signal.removeEventListener('abort', onAbort);
      const { runId } = this.#run;
      await this.#parts.runner.broadcast('endDevice', { runId }).catch(() => undefined);
    }
  }

  async #section(section: DeviceSection): Promise<void> {
    const zeros = new Set(await this.#zerosOf(section));
    await this.#each(partsOf(rangesOf(zeros), ZEROS_BYTES_MAX), async range => {
      await this.#parts.runner.run('deviceZeros', { run: this.#run, ...range });
      this.#wrote(range.length);
    });
    const data = [...section.values()].filter(content => !zeros.has(content));
    if (this.#parts.localPath) {
      await this.#each(data, content => this.#writeFromFile(content));
      return;
    }
    const ids = data.map(({ contentId }) => contentId);
    const reads = this.#parts.contents.readManySealed(ids, { signal: this.#signal });
    await this.#each(reads, async (read, signal) => {
      const content = section.get(read.contentId);
      if (content) await this.#writeReadOrAnew(content, read, signal);
    });
  }

  async #each<Item>(
    items: Iterable<Item> | AsyncIterable<Item>,
    work: (item: Item, signal: AbortSignal) => Promise<void>,
  ): Promise<void> {
    const parallelism = TASKS_PER_THREAD * this.#parts.runner.size;
    await mapBounded(items, { parallelism, signal: this.#signal }, work);
  }

  /** Where the storage is a directory the thread that writes reads the pack by itself. */
  async #writeFromFile(content: PlacedContent): Promise<void> {
    const { contents, localPath } = this.#parts;
    const { contentId } = content;
    const found = contents.find(contentId);
    try {
      if (found && localPath) {
        const { packId, packOffset: offset, packedBytes: length, ...rest } = found;
        const source = { path: localPath(packId), offset, length };
        await this.#write(content, source, { ...rest, key: contentKey(contentId) });
        return;
      }
    } catch (error) {
      if (!isEngineError(error, 'PACK_MISSING', 'PACK_DAMAGED')) throw error;
    }
    // Maintenance may have moved it; what is still missing then is damage.
    const read = await contents.readSealed(contentId, { signal: this.#signal });
    await this.#writeRead(content, read, this.#signal);
  }

  /** A content is opened before the first of it is written. */
  async #writeReadOrAnew(
    content: PlacedContent,
    read: SealedRead,
    signal: AbortSignal,
  ): Promise<void> {
    const { contents } = this.#parts;
    const { contentId } = read;
    await orAnew(
      () => contents.forgetDamaged(contentId),
      () => this.#writeRead(content, read, signal),
      async () =>
        this.#writeRead(content, await contents.readSealed(contentId, { signal }), signal),
    );
  }

  async #writeRead(content: PlacedContent, read: SealedRead, signal: AbortSignal): Promise<void> {
    const { bytes, ...sealed } = read;
    await this.#window.hold(bytes.length, signal, () => this.#write(content, { bytes }, sealed));
  }

  async #write(
    { isCompressed, bytes, positions }: PlacedContent,
    source: DeviceSource,
    { key, originalBytes, compressionId }: DeviceChunkInput['content'],
  ): Promise<void> {
    const { length } = 'bytes' in source ? source.bytes : source;
    const content = { key, originalBytes, compressionId };
    const places = Float64Array.from(positions);
    const chunk = { source, content, isCompressed, bytes, positions: places };
    const own = 'bytes' in source ? [source.bytes.buffer] : [];
    const transfer = [...own, places.buffer];
    await this.#parts.runner.run('deviceChunk', { run: this.#run, ...chunk }, { transfer });
    this.#report.bytesFetched += length;
    this.#wrote(bytes * positions.length);
  }

  /** Those that nobody needs to fetch to know that they are zeros. */
  async #zerosOf(section: DeviceSection): Promise<PlacedContent[]> {
    const candidates = zeroCandidates(section);
    const lengths = [...new Set(candidates.map(({ bytes }) => bytes))];
    const unknown = lengths.filter(length => !this.#zeroIds.has(length));
    if (unknown.length > 0) {
      const ids = await this.#parts.runner.run('deviceZeroIds', { lengths: unknown });
      for (const [index, length] of unknown.entries()) this.#zeroIds.set(length, ids[index]);
    }
    return candidates.filter(({ contentId, bytes }) => this.#zeroIds.get(bytes) === contentId);
  }

  #wrote(bytes: number): void {
    this.#report.bytes += bytes;
    this.#report.progress('');
  }

  /** What the kernel has not written yet may fail here, and nowhere before. */
  async #sync(): Promise<void> {
    try {
      await this.#device.sync();
    } catch (cause) {
      throw deviceFailure('write to', Buffer.from(this.#device.path).toString(), cause);
    }
  }
}
