// The one account of what the cache takes of its file system. Bytes and inodes are reserved before
// anything is written; a reservation is granted at once or not at all. Everything that we put below
// the location counts: segments with their tables, what the file system needs to find their blocks,
// the directory, the lock file.

import { EngineError } from '#engine/base/errors.ts';

export interface Amount {
  readonly bytes: number;
  readonly inodes: number;
}

/** A promise of room. Ends with commit or release, once. */
export interface Reservation extends Amount {
  /** It has been written and is used from now on. */
  commit(): void;
  /** It was not written, or what was written is gone again. */
  release(): void;
}

export class Ledger {
  #limitBytes = 0;
  #limitInodes = 0;
  #usedBytes = 0;
  #usedInodes = 0;
  #reservedBytes = 0;
  #reservedInodes = 0;
  #refusals = 0;

  get limit(): Amount {
    return { bytes: this.#limitBytes, inodes: this.#limitInodes };
  }

  get used(): Amount {
    return { bytes: this.#usedBytes, inodes: this.#usedInodes };
  }

  get reserved(): Amount {
    return { bytes: this.#reservedBytes, inodes: this.#reservedInodes };
  }

  /** How often there was no room. */
  get refusals(): number {
    return this.#refusals;
  }

  /** What has to go before the limit can be `limit`. */
  excessOver(limit: Amount): Amount {
    return {
      bytes: Math.max(0, this.#usedBytes + this.#reservedBytes - limit.bytes),
      inodes: Math.max(0, this.#usedInodes + this.#reservedInodes - limit.inodes),
    };
  }

  /**
   * Sets the limit. Whoever lowers it has made room before: what cannot be given back yet keeps the
   * limit that high, and the caller comes again.
   */
  setLimit({ bytes, inodes }: Amount): void {
    requireAmount(bytes, inodes);
    this.#limitBytes = Math.max(bytes, this.#usedBytes + this.#reservedBytes);
    this.#limitInodes = Math.max(inodes, this.#usedInodes + this.#reservedInodes);
    this.check();
  }

  /** What was there when we came. May be above the limit, which then is that high until it went. */
  adopt({ bytes, inodes }: Amount): void {
    requireAmount(bytes, inodes);
    this.#usedBytes += bytes;
    this.#usedInodes += inodes;
    this.#limitBytes = Math.max(this.#limitBytes, this.#usedBytes + this.#reservedBytes);
    this.#limitInodes = Math.max(this.#limitInodes, this.#usedInodes + this.#reservedInodes);
    this.check();
  }

  /** Room for `bytes` and `inodes`, or undefined where there is none. Never waits. */
  tryReserve(bytes: number, inodes: number): Reservation | undefined {
    requireAmount(bytes, inodes);
    const isFitting =
      this.#usedBytes + this.#reservedBytes + bytes <= this.#limitBytes &&
      this.#usedInodes + this.#reservedInodes + inodes <= this.#limitInodes;
    if (!isFitting) {
      this.#refusals++;
      return undefined;
    }
    this.#reservedBytes += bytes;
    this.#reservedInodes += inodes;
    this.check();
    return new OpenReservation(bytes, inodes, isWritten => this.#end(bytes, inodes, isWritten));
  }

  /** Takes what was used off the account, after it is gone from the disk. */
  giveBack({ bytes, inodes }: Amount): void {
    requireAmount(bytes, inodes);
    this.#usedBytes -= bytes;
    this.#usedInodes -= inodes;
    this.check();
  }

  /** @throws INTERNAL when the account does not add up; called after every step */
  check(): void {
    const isRight =
      this.#usedBytes >= 0 &&
      this.#usedInodes >= 0 &&
      this.#reservedBytes >= 0 &&
      this.#reservedInodes >= 0 &&
      this.#usedBytes + this.#reservedBytes <= this.#limitBytes &&
      this.#usedInodes + this.#reservedInodes <= this.#limitInodes;
    if (isRight) return;
    const text = 'the account of the cache does not add up';
    const { limit, used, reserved } = this;
    throw new EngineError('INTERNAL', text, { details: { limit, used, reserved } });
  }

  #end(bytes: number, inodes: number, isWritten: boolean): void {
    this.#reservedBytes -= bytes;
    this.#reservedInodes -= inodes;
    if (isWritten) {
      this.#usedBytes += bytes;
      this.#usedInodes += inodes;
    }
    this.check();
  }
}

class OpenReservation implements Reservation {
  readonly bytes: number;
  readonly inodes: number;
  #end: ((isWritten: boolean) => void) | undefined;

  constructor(bytes: number, inodes: number, end: (isWritten: boolean) => void) {
    this.bytes = bytes;
    this.inodes = inodes;
    this.#end = end;
  }

  commit(): void {
    this.#finish(true);
  }

  release(): void {
    this.#finish(false);
  }

  #finish(isWritten: boolean): void {
    const end = this.#end;
    if (end === undefined) throw new EngineError('INTERNAL', 'a reservation was ended twice');
    this.#end = undefined;
    end(isWritten);
  }
}

function requireAmount(bytes: number, inodes: number): void {
  if (Number.isSafeInteger(bytes) && Number.isSafeInteger(inodes) && bytes >= 0 && inodes >= 0) {
    return;
  }
  throw new EngineError('INTERNAL', `${bytes} bytes and ${inodes} inodes are no amount`);
}
