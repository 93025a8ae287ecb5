// A snapshot of a block device, in the shape that Velero's kopia uploader gives it: a directory
// that exists nowhere else with one file in it, both called by the path of the device (velero
// 1.18.1 pkg/uploader/kopia/block_backup.go; kopia fs/virtualfs NewStaticDirectory and
// StreamingFile). So stock restores ours, and we restore stock's.

import { constants } from 'node:fs';
import { systemCodeOf } from '#engine/base/errors.ts';
import { decodeDirectory } from '#engine/format/directory-decode.ts';
import { splitNanoseconds, wrapEntryTime } from '#engine/format/entry-time.ts';
import type { ChangedBlocks } from '#engine/snapshot/changed-blocks.ts';
import { OpenBlockDevice } from '#engine/snapshot/source/block-device.ts';
import { openSourceFileSystem } from '#engine/snapshot/source/open-source-file-system.ts';
import { rootError, sourceError } from '#engine/snapshot/source/source-error.ts';
import { splitRoot } from './file-root.ts';
import { TotalsBuilder } from './part-totals.ts';
import { SharedReading } from './shared-reading.ts';
import { stoppable } from './stoppable.ts';
import type { UploadedTree, UploadOptions, UploadParts } from './upload-options.ts';
import { type SharedUntouched, shareUntouched, takenOver } from './untouched-chunks.ts';
import type {
  EntryMetadata,
  FileChunks,
  LargeFile,
  UploadRun,
  UploadTasks,
  PreviousObject,
} from './upload-tasks.ts';
import { type IncompleteReason, type IncompleteTree, withCheckpoints } from './with-checkpoints.ts';

export interface DeviceUploadOptions extends UploadOptions {
  /** Name of the directory, and of the file in it. */
  readonly rootName: string;
  readonly startTimeNs: bigint;
  /** The snapshot that previousRoot is of. */
  readonly parentId: string | undefined;
  readonly changedBlocks: ChangedBlocks;
  /** The bytes of a directory object of the parent; undefined when it cannot be had. */
  readonly readDirectory: (objectId: string) => Promise<PreviousObject | undefined>;
}

type Finished = UploadTasks['finishDevice']['output'];

/** What a Go program says of a time that nobody has set: the first second of the year 1. */
const NO_TIME = wrapEntryTime({ seconds: -62_135_596_800, nanoseconds: 0 });
/** kopia fs/virtualfs/virtualfs.go defaultPermissions. */
const MODE = 0o777;
const NO_NAME = new Uint8Array(0);
const NO_EXTRAS = Object.freeze({ special: [] });

const DIRECTORY: EntryMetadata = Object.freeze({
  name: NO_NAME,
  mode: MODE,
  uid: 0,
  gid: 0,
  bytes: 0,
  mtimeSeconds: NO_TIME.seconds,
  mtimeNanoseconds: NO_TIME.nanoseconds,
});

/**
 * Stores the device at run.root; durable only after the next flush.
 * @throws SOURCE_VANISHED, SOURCE_UNREADABLE, SOURCE_CHANGED when it was shrunk, ABORTED
 */
export async function uploadDevice(
  parts: UploadParts,
  options: DeviceUploadOptions,
): Promise<UploadedTree> {
  await using device = await openDeviceRoot(options.run);
  const { run } = splitRoot(options.run);
  const untouched = await untouchedOf(parts, options, device);
  return await stoppable(parts.runner, options, async () => {
    const upload = new DeviceUpload(parts, { ...options, run }, { device, untouched });
    return await upload.store();
  });
}

/**
 * Past the kernel's memory where addresses are known: what is read once would push out what others
 * have there, and to make room for it takes longer than to read it (adr/0025).
 * @throws SOURCE_NOT_FOUND, SOURCE_UNREADABLE
 */
export async function openDeviceRoot(run: UploadRun): Promise<OpenBlockDevice> {
  const { root: path, isNativeAllowed: native } = run;
  const isDirect = openSourceFileSystem({ native }).kind === 'native';
  const flags = constants.O_RDONLY | (isDirect ? constants.O_DIRECT : 0);
  let device: OpenBlockDevice | undefined;
  try {
    device = await OpenBlockDevice.open(Buffer.from(path).toString(), flags);
  } catch (cause) {
    const errno = systemCodeOf(cause) ?? 'unknown error';
    throw rootError({ attempt: 'open device', path, errno, cause });
  }
  if (device) return device;
  throw sourceError({ attempt: 'open device', path, errno: 'ENOTBLK' });
}

class DeviceUpload {
  readonly #parts: UploadParts;
  readonly #options: DeviceUploadOptions;
  readonly #file: LargeFile;
  readonly #reading: SharedReading;
  readonly #untouched: Untouched | undefined;
  readonly #totals = new TotalsBuilder();
  #failure: { error: unknown } | undefined;

  constructor(
    parts: UploadParts,
    options: DeviceUploadOptions,
    { device, untouched }: { device: OpenBlockDevice; untouched: Untouched | undefined },
  ) {
    this.#parts = parts;
    this.#options = options;
    this.#file = fileOf(device, options);
    this.#untouched = untouched;
    const { plain } = device;
    const address = { run: options.run, names: [], device: plain, untouched: untouched?.shared };
    this.#reading = new SharedReading(address, this.#file);
    const isRead = () => this.#totals.readFiles > 0;
    parts.onTotals?.(this.#totals, () => (isRead() ? 0 : this.#reading.readBytes));
  }

  async store(): Promise<UploadedTree> {
    const { piece, bytes } = await this.#read();
    const totals = this.#totals;
    totals.addFile(this.#file, bytes);
    totals.readFiles = 1;
    totals.cachedBytes = passedBytes(this.#untouched?.chunks, this.#reading);
    totals.readBytes = bytes - totals.cachedBytes;
    const summary = totals.directorySummary(DIRECTORY);
    const input = { run: this.#options.run, pieces: [piece], summary, extras: NO_EXTRAS };
    const { objectId } = await this.#parts.runner.run('writeDirectory', input);
    return { root: { objectId, summary }, metadata: DIRECTORY, totals, changes: undefined };
  }

  /**
   * With all threads. What has been read is saved from time to time, so that maintenance keeps it.
   */
  async #read(): Promise<Finished> {
    const { runner, checkpoints } = this.#parts;
    const { run, signal } = this.#options;
    const reading = this.#reading;
    const readers = Array.from({ length: runner.size }, () =>
      reading.read(runner, () => this.#betweenShares()),
    );
    // None may be left at work when the device is closed.
    await withCheckpoints(checkpoints, signal, {
      work: Promise.allSettled(readers),
      gather: reason => this.#gather(reason),
      onFailure: error => this.#fail(error),
    });
    if (this.#failure) throw this.#failure.error;
    await Promise.all(readers);
    if (reading.failure) throw reading.failure;
    const { file, chunks } = reading.finished(1);
    const parent = this.#untouched?.chunks;
    const all = parent ? [...chunks, takenOver(parent, reading.passed)] : chunks;
    return await runner.run('finishDevice', { run, file, chunks: all });
  }

  #fail(error: unknown): void {
    this.#failure ??= { error };
    Atomics.store(new Int32Array(this.#options.run.stop), 0, 1);
  }

  async #betweenShares(): Promise<void> {
    if (this.#failure) throw this.#failure.error;
    await this.#parts.afterTask();
  }

  async #gather(reason: IncompleteReason): Promise<IncompleteTree | undefined> {
    const { partial, isDone } = this.#reading;
    if (partial === undefined || isDone) return undefined;
    const totals = new TotalsBuilder().part();
    const nothing = { children: [], pieces: [], extras: NO_EXTRAS, totals };
    const directories = [{ metadata: DIRECTORY, files: [partial], ...nothing }];
    const input = { run: this.#options.run, directories, reason };
    const { root } = await this.#parts.runner.run('writeCheckpoint', input);
    return root && { root, metadata: DIRECTORY, totals: this.#totals };
  }
}

/** What of the parent need not be read; undefined where all is read. */
interface Untouched {
  readonly chunks: FileChunks;
  readonly shared: SharedUntouched;
}

async function untouchedOf(
  { readChunks }: UploadParts,
  { run, previousRoot, parentId, changedBlocks, readDirectory, signal }: DeviceUploadOptions,
  device: OpenBlockDevice,
): Promise<Untouched | undefined> {
  if (previousRoot?.type !== 'd' || parentId === undefined || run.changes.forceHash)
    return undefined;
  const changed = await changedBlocks.since(parentId, signal);
  if (changed === undefined) return undefined;
  const directory = await readDirectory(previousRoot.objectId);
  if (directory === undefined) return undefined;
  const [file, ...others] = decodeDirectory(directory.bytes, 'the parent of a device').entries;
  if (file?.type !== 'f' || others.length > 0) return undefined;
  const chunks = await readChunks(file);
  return chunks && { chunks, shared: shareUntouched(chunks, changed, device.bytes) };
}

function passedBytes(chunks: FileChunks | undefined, { passed }: SharedReading): number {
  if (chunks === undefined) return 0;
  return passed.reduce((sum, { from, end }) => sum + end - chunks.starts[from], 0);
}

/** As kopia describes what it is given as a stream: nobody's, and as old as the snapshot. */
function fileOf({ bytes }: OpenBlockDevice, options: DeviceUploadOptions): LargeFile {
  const { seconds, nanoseconds } = splitNanoseconds(options.startTimeNs);
  return {
    name: new Uint8Array(Buffer.from(options.rootName)),
    mode: MODE,
    uid: 0,
    gid: 0,
    bytes,
    mtimeSeconds: seconds,
    mtimeNanoseconds: nanoseconds,
    ctimeSeconds: 0,
    ctimeNanoseconds: 0,
    inode: '',
    device: '',
    stampIndex: 0,
  };
}
