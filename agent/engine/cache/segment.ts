// One segment file that is open: its blocks, its rows, and reading and writing of both. All blocks
// are allocated when the file is made, so that writing an entry takes nothing further of the disk.

import {
  closeSync,
  constants,
  fstatSync,
  ftruncate,
  open,
  read,
  unlink,
  write,
  writev,
} from 'node:fs';
import { EngineError } from '#engine/base/errors.ts';
import type { AlignedBuffers } from './aligned-buffers.ts';
import { BlockMap, type BlockRun } from './block-map.ts';
import { DirectFile } from './direct-file.ts';
import { allocateBlocks, readFromMemory } from './native-files.ts';
import type { PieceReader } from './pieces.ts';
import {
  BLOCK_BYTES,
  blockCount,
  type ChecksumKind,
  encodeHeader,
  isHeader,
  isSegmentBytes,
  ROW_BYTES,
  rowCount,
  tableBlocks,
} from './segment-format.ts';

const FILE_MODE = 0o600;
/** No link is followed, whoever put it there. */
const OPEN_FLAGS = constants.O_RDWR | constants.O_NOFOLLOW;
const ZEROS_BYTES = 1024 * 1024;
const ZERO_BLOCK = new Uint8Array(BLOCK_BYTES);
const NO_ENTRY = 0xffff_ffff;

export interface SegmentSpace {
  readonly run: BlockRun;
  readonly slot: number;
}

export class Segment {
  readonly path: string;
  readonly index: number;
  readonly bytes: number;
  readonly blocks: BlockMap;
  readonly slots: BlockMap;
  /** The entry of each row. */
  readonly entryOfSlot: Uint32Array;
  /** What would be lost with it: blocks, those of index and metadata several times. */
  value = 0;
  readonly #fd: number;
  readonly #buffers: AlignedBuffers | undefined;
  /** Since the first write: what is only read has no need of a second descriptor. */
  #direct: Promise<DirectFile | undefined> | undefined;
  #operations = 0;
  #isDropped = false;
  #onClosed: (() => void) | undefined;

  constructor(
    fd: number,
    { path, index, bytes, buffers }: SegmentPlace & { readonly bytes: number },
  ) {
    this.#fd = fd;
    this.#buffers = buffers;
    this.path = path;
    this.index = index;
    this.bytes = bytes;
    this.blocks = new BlockMap(blockCount(bytes));
    this.blocks.mark({ start: 0, length: tableBlocks(bytes) });
    this.slots = new BlockMap(rowCount(bytes));
    this.slots.mark({ start: 0, length: 1 });
    this.entryOfSlot = new Uint32Array(rowCount(bytes)).fill(NO_ENTRY);
  }

  get isDropped(): boolean {
    return this.#isDropped;
  }

  /** The longest run that an entry could have here. */
  get longest(): number {
    return this.slots.free === 0 || this.#isDropped ? 0 : this.blocks.longest;
  }

  /** A row and `blockCount` blocks in one run; undefined where there is none as long. */
  takeWhole(blockCount: number): SegmentSpace | undefined {
    return this.#withRow(() => this.blocks.takeWhole(blockCount));
  }

  /** A row and at most `blockCount` blocks in one run. */
  take(blockCount: number): SegmentSpace | undefined {
    return this.#withRow(() => this.blocks.take(blockCount));
  }

  #withRow(takeBlocks: () => BlockRun | undefined): SegmentSpace | undefined {
    if (this.slots.free === 0 || this.#isDropped) return undefined;
    const run = takeBlocks();
    const slot = run && this.slots.take(1);
    return slot && { run, slot: slot.start };
  }

  give({ run, slot }: SegmentSpace): void {
    this.blocks.release(run);
    this.slots.release({ start: slot, length: 1 });
    this.entryOfSlot[slot] = NO_ENTRY;
  }

  /** Of an entry that begins with `block`. */
  reader(block: number): PieceReader {
    const start = block * BLOCK_BYTES;
    return {
      now: (at, target) => !this.#isDropped && readFromMemory(this.#fd, target, start + at),
      read: async (at, target) => (await this.readAt(start + at, target)) === target.length,
    };
  }

  readAt(position: number, target: Uint8Array): Promise<number> {
    return this.#during(
      () =>
        new Promise((resolve, reject) => {
          read(this.#fd, target, 0, target.length, position, (error, bytesRead) =>
            error ? reject(error) : resolve(bytesRead),
          );
        }),
    );
  }

  /** Writes to whole blocks, so that the kernel never has to read what was there. */
  async writeBlocks(block: number, bytes: Uint8Array): Promise<void> {
    const position = block * BLOCK_BYTES;
    const direct = await this.#writeDirect(position, bytes);
    // What was given back while others were written would take blocks again.
    if (this.#isDropped) return;
    const done = direct > 0 ? direct : await this.#writePadded(position, bytes);
    if (done < bytes.length) await this.writeAt(position + done, bytes.subarray(done));
  }

  /** How many of the bytes were written past the kernel's memory. */
  async #writeDirect(position: number, bytes: Uint8Array): Promise<number> {
    const buffers = this.#buffers;
    if (buffers === undefined) return 0;
    const direct = await this.#during(() => (this.#direct ??= DirectFile.open(this.#fd)));
    if (!direct?.isUsable) return 0;
    using lent = await buffers.take();
    if (this.#isDropped) return 0;
    const length = Math.ceil(bytes.length / BLOCK_BYTES) * BLOCK_BYTES;
    lent.bytes.set(bytes);
    lent.bytes.fill(0, bytes.length, length);
    const blocks = lent.bytes.subarray(0, length);
    return Math.min(bytes.length, await this.#during(() => direct.write(position, blocks)));
  }

  async #writePadded(position: number, bytes: Uint8Array): Promise<number> {
    const padding = ZERO_BLOCK.subarray(
      0,
      (BLOCK_BYTES - (bytes.length % BLOCK_BYTES)) % BLOCK_BYTES,
    );
    return await this.#during(
      () =>
        new Promise<number>((resolve, reject) => {
          writev(this.#fd, [bytes, padding], position, (error, bytesWritten) =>
            error ? reject(error) : resolve(bytesWritten),
          );
        }),
    );
  }

  async writeRow(slot: number, row: Uint8Array): Promise<void> {
    await this.writeAt(slot * ROW_BYTES, row);
  }

  async writeAt(position: number, bytes: Uint8Array): Promise<void> {
    let done = 0;
    while (done < bytes.length) {
      const part = bytes.subarray(done);
      done += await this.#during(
        () =>
          new Promise<number>((resolve, reject) => {
            write(this.#fd, part, 0, part.length, position + done, (error, bytesWritten) =>
              error ? reject(error) : resolve(bytesWritten),
            );
          }),
      );
    }
  }

  /** Whether the file is still where it was and of its size. */
  isInPlace(): boolean {
    const { nlink, size } = fstatSync(this.#fd);
    return nlink === 1 && size === this.bytes;
  }

  /**
   * Gives its blocks back, on another thread: on a disk that somebody fills, a truncation was seen
   * to take 0.8 s. `onEmptied` is told when that is done. Resolves when the last of what was under
   * way has ended, too, until when that may have taken blocks again. Never rejects: the directory
   * is gone or cannot be written to, and there is no room to be gained.
   */
  drop(onEmptied?: () => void): Promise<void> {
    this.#isDropped = true;
    this.#operations++;
    return new Promise(resolve => {
      this.#onClosed = resolve;
      ftruncate(this.#fd, 0, () => {
        onEmptied?.();
        unlink(this.path, () => {
          this.#operations--;
          this.#closeIfIdle();
        });
      });
    });
  }

  /** Leaves the file as it is. */
  close(): void {
    this.#isDropped = true;
    this.#closeIfIdle();
  }

  async #during<Result>(work: () => Promise<Result>): Promise<Result> {
    if (this.#isDropped) throw new EngineError('ABORTED', 'the segment was given back');
    this.#operations++;
    try {
      return await work();
    } finally {
      this.#operations--;
      this.#closeIfIdle();
    }
  }

  #closeIfIdle(): void {
    if (!this.#isDropped || this.#operations > 0) return;
    closeSync(this.#fd);
    void this.#direct?.then(direct => direct?.close());
    this.#onClosed?.();
    this.#onClosed = undefined;
  }
}

export interface SegmentPlace {
  readonly path: string;
  readonly index: number;
  /** For writing past the kernel's memory, where the file system does that. */
  readonly buffers?: AlignedBuffers;
}

/** Opens a segment that is there; undefined for what is none of ours, which stays as it is. */
export async function openSegment(
  place: SegmentPlace,
  checksum: ChecksumKind,
): Promise<Segment | undefined> {
  const handle = await openRaw(place.path, OPEN_FLAGS);
  const segment = await segmentOf(handle, place);
  if (segment === undefined) return undefined;
  const row = Buffer.alloc(ROW_BYTES);
  const got = await segment.readAt(0, row);
  if (got === ROW_BYTES && isHeader(row, segment.bytes, checksum)) return segment;
  segment.close();
  return undefined;
}

export interface NewSegment {
  readonly bytes: number;
  readonly checksum: ChecksumKind;
  /** Told when all blocks are there, before anything else is awaited. */
  readonly onAllocated?: () => void;
}

/**
 * A new, empty segment with all of its blocks. Leaves nothing behind when it fails.
 * @throws the system's error: ENOSPC, EDQUOT, EROFS, EIO, …
 */
export async function createSegment(
  place: SegmentPlace,
  { bytes, checksum, onAllocated }: NewSegment,
): Promise<Segment> {
  const fd = await openRaw(place.path, OPEN_FLAGS | constants.O_CREAT | constants.O_EXCL);
  const segment = new Segment(fd, { ...place, bytes });
  try {
    await fillBlocks(segment, fd, onAllocated);
    await segment.writeAt(0, encodeHeader(bytes, checksum));
    return segment;
  } catch (error) {
    await segment.drop();
    throw error;
  }
}

async function fillBlocks(
  segment: Segment,
  fd: number,
  onAllocated: (() => void) | undefined,
): Promise<void> {
  const result = allocateBlocks(fd, segment.bytes);
  if (result === 'allocated') return onAllocated?.();
  if (result !== 'unsupported') {
    throw Object.assign(new Error(`cannot allocate ${segment.path}`), { code: result.systemCode });
  }
  const zeros = new Uint8Array(Math.min(ZEROS_BYTES, segment.bytes));
  for (let at = 0; at < segment.bytes; at += zeros.length) await segment.writeAt(at, zeros);
  onAllocated?.();
}

async function segmentOf(fd: number, place: SegmentPlace): Promise<Segment | undefined> {
  const found = fstatSync(fd);
  if (found.isFile() && found.nlink === 1 && isSegmentBytes(found.size)) {
    return new Segment(fd, { ...place, bytes: found.size });
  }
  closeSync(fd);
  return undefined;
}

function openRaw(path: string, flags: number): Promise<number> {
  return new Promise((resolve, reject) => {
    open(path, flags, FILE_MODE, (error, fd) => (error ? reject(error) : resolve(fd)));
  });
}
