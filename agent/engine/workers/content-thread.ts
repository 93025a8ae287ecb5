// What one worker thread holds for one repository: its own hash and cipher (they keep scratch
// memory), and, where the repository is open for writing, its packs and what is known of contents.

import { createCipher } from '#engine/cipher/ciphers.ts';
import type { ContentCipher } from '#engine/cipher/content-cipher.ts';
import type { ContentHash } from '#engine/hash/content-hash.ts';
import { createHash } from '#engine/hash/hashes.ts';
import { PendingContents, type SharedPendingContents } from '#engine/index/pending.ts';
import { IndexView, type SharedIndexView } from '#engine/index/view.ts';
import { ContentOpener } from './content-opener.ts';
import { ContentWriter, type KnownContents } from './content-writer.ts';
import { IndexOpener } from './index-opener.ts';
import { TicketHolder, type TicketLine } from './pack-tickets.ts';
import { PackWriter } from './pack-writer.ts';
import { RunControl } from './run-control.ts';

export interface SharedKnownContents {
  readonly index: SharedIndexView;
  readonly pending: SharedPendingContents;
}

/** All that a thread needs to read, structured-cloneable. Holds keys. */
export interface ContentThreadSeed {
  readonly workerIndex: number;
  readonly hash: { readonly name: string; readonly secret: Uint8Array };
  readonly cipher: { readonly name: string; readonly secret: Uint8Array };
  /** 0 where stored units carry no parity. */
  readonly eccOverheadPercent: number;
  /** False makes the thread use the slow paths; tests compare the two. */
  readonly isNativeAllowed: boolean;
  readonly control: SharedArrayBuffer;
  readonly writing?: WritingSeed;
}

export interface WritingSeed {
  readonly tickets: TicketLine;
  readonly known: SharedKnownContents;
  readonly packBytesMax: number;
  readonly formatVersion: number;
}

/** The parts of a thread that writes. */
export interface WritingThread {
  readonly packs: PackWriter;
  readonly contents: ContentWriter;
}

export class ContentThread {
  readonly hash: ContentHash;
  readonly cipher: ContentCipher;
  readonly opener: ContentOpener;
  readonly indexOpener: IndexOpener;
  readonly control: RunControl;
  readonly counters: Float64Array;
  readonly writing: WritingThread | undefined;

  constructor(seed: ContentThreadSeed) {
    const options = { native: seed.isNativeAllowed };
    this.hash = createHash(seed.hash.name, seed.hash.secret, options);
    this.cipher = createCipher(seed.cipher.name, seed.cipher.secret, options);
    this.opener = new ContentOpener(this.hash, this.cipher, seed);
    this.indexOpener = new IndexOpener(this.hash, this.cipher, seed);
    this.control = RunControl.attach(seed.control);
    this.counters = this.control.countersOf(seed.workerIndex);
    this.writing = seed.writing && this.#startWriting(seed.writing);
  }

  #startWriting({ tickets, known, ...options }: WritingSeed): WritingThread {
    const holder = new TicketHolder(tickets, () => this.control.isStopped);
    const packs = new PackWriter(holder, this.hash, this.cipher, options);
    const contents = new ContentWriter({
      hash: this.hash,
      packs,
      known: attachKnown(known),
      counters: this.counters,
      nowSeconds: () => Math.floor(Date.now() / 1000),
    });
    return { packs, contents };
  }
}

export function attachKnown({ index, pending }: SharedKnownContents): KnownContents {
  return { index: IndexView.attach(index), pending: PendingContents.attach(pending) };
}
