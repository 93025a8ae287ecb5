// Where the bytes of an open pack go: into a file that the storage has staged, or into a buffer
// that moves to the main thread and is put from there. Either way a sealed content is written once.

import { closeSync, openSync, writeSync } from 'node:fs';
import { allocateArena, type Arena, arenaOver } from '#engine/base/arena.ts';
import { EngineError, systemCodeOf } from '#engine/base/errors.ts';
import type { Region } from '#engine/cipher/content-cipher.ts';

export interface PackOutput {
  /** Bytes written so far; the offset of the next content. */
  readonly bytes: number;
  /**
   * Memory for the next `length` bytes of the pack; fill it, it counts as written. Undefined when
   * the output would rather be handed finished bytes by write().
   */
  reserve(length: number): Region | undefined;
  /** Appends bytes; they are the caller's again on return. */
  write(bytes: Uint8Array): void;
  /** Ends the pack. The buffer, if there is one, is the caller's to transfer. */
  finish(): ArrayBuffer | undefined;
  /** Ends the pack without using it. */
  discard(): ArrayBuffer | undefined;
}

/** Contents larger than this are sealed in place and written with a call of their own. */
const GATHER_BYTES_MAX = 128 * 1024;

/** Small contents are gathered until there are this many bytes: fewer system calls. */
const GATHER_BUFFER_BYTES = 1024 * 1024;

export class StagedPackOutput implements PackOutput {
  readonly #path: string;
  readonly #file: number;
  readonly #gather: Arena;
  #gathered = 0;
  #written = 0;

  /** `gather` is memory that several packs of one worker use one after the other. */
  constructor(path: string, gather: Arena) {
    this.#path = path;
    this.#gather = gather;
    this.#file = this.#guard(() => openSync(path, 'w', 0o600));
  }

  static allocateGather(): Arena {
    return allocateArena(GATHER_BUFFER_BYTES);
  }

  get bytes(): number {
    return this.#written + this.#gathered;
  }

  reserve(length: number): Region | undefined {
    if (length > GATHER_BYTES_MAX) return undefined;
    if (this.#gathered + length > this.#gather.bytes.length) this.#flush();
    const offset = this.#gathered;
    this.#gathered += length;
    return { arena: this.#gather, offset };
  }

  write(bytes: Uint8Array): void {
    this.#flush();
    this.#writeAll(bytes);
  }

  finish(): undefined {
    this.#flush();
    this.#guard(() => closeSync(this.#file));
    return undefined;
  }

  discard(): undefined {
    closeSync(this.#file);
    return undefined;
  }

  #flush(): void {
    if (this.#gathered === 0) return;
    const gathered = this.#gathered;
    this.#gathered = 0;
    this.#writeAll(this.#gather.bytes.subarray(0, gathered));
  }

  #writeAll(bytes: Uint8Array): void {
    let done = 0;
    while (done < bytes.length) {
      const from = done;
      done += this.#guard(() => writeSync(this.#file, bytes, from, bytes.length - from));
    }
    this.#written += bytes.length;
  }

  #guard<Result>(call: () => Result): Result {
    try {
      return call();
    } catch (error) {
      throw packWriteError(this.#path, error);
    }
  }
}

export class BufferPackOutput implements PackOutput {
  readonly #arena: Arena;
  bytes = 0;

  constructor(buffer: ArrayBuffer) {
    this.#arena = arenaOver(new Uint8Array(buffer));
  }

  reserve(length: number): Region {
    const offset = this.bytes;
    this.#grow(length);
    return { arena: this.#arena, offset };
  }

  write(bytes: Uint8Array): void {
    const offset = this.bytes;
    this.#grow(bytes.length);
    this.#arena.bytes.set(bytes, offset);
  }

  finish(): ArrayBuffer {
    // arenaOver was given a whole ArrayBuffer in the constructor.
    return this.#arena.bytes.buffer as ArrayBuffer;
  }

  discard(): ArrayBuffer {
    return this.finish();
  }

  #grow(length: number): void {
    this.bytes += length;
    if (this.bytes > this.#arena.bytes.length) {
      throw new EngineError('LIMIT_EXCEEDED', 'a pack outgrew the buffer it was given');
    }
  }
}

function packWriteError(path: string, cause: unknown): EngineError {
  const systemCode = systemCodeOf(cause);
  const isFull = systemCode === 'ENOSPC' || systemCode === 'EDQUOT';
  const isReadOnly = systemCode === 'EROFS';
  const code = isFull ? 'STORAGE_FULL' : isReadOnly ? 'STORAGE_READ_ONLY' : 'STORAGE_FAILED';
  const advice = isFull
    ? 'the file system of the repository is full; make room and run it again, nothing was published'
    : 'check the file system of the repository';
  return new EngineError(
    code,
    `writing pack ${path} failed (${systemCode ?? 'unknown'}): ${advice}`,
    {
      cause,
    },
  );
}
