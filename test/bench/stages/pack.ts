// Writing packs of contents that are hashed already: seal and append, into a file that the storage
// has staged and into a buffer that would be uploaded, for small contents and for large ones.

import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { allocateArena } from '#engine/base/arena.ts';
import { createCipher } from '#engine/cipher/ciphers.ts';
import { NONCE_BYTES, SEAL_BYTES } from '#engine/cipher/content-cipher.ts';
import { createHash } from '#engine/hash/hashes.ts';
import { openTicketLine, TicketHolder, type PackTicket } from '#engine/workers/pack-tickets.ts';
import { PackWriter } from '#engine/workers/pack-writer.ts';
import { MIB, sizeName, type BenchFigure, type StageOptions } from './figure.ts';
import { fillWithNoise } from './test-bytes.ts';
import { budgetMs, secondsPerCall } from './timing.ts';

const PACK_BYTES = 20 * MIB;
/** The tail of a pack, and the content that makes it too long. */
const ROOM_BYTES = 8 * MIB;
const SIZES = [4096, 64 * 1024, 4 * MIB];
const SECRET = new Uint8Array(32).fill(1);

export async function benchPack(options: StageOptions): Promise<BenchFigure[]> {
  const figures: BenchFigure[] = [];
  for (const place of ['file', 'buffer'] as const) {
    for (const size of SIZES) {
      const seconds = benchOne(options, place, size);
      const name = `${place}, contents of ${sizeName(size)}`;
      figures.push({ name, value: PACK_BYTES / MIB / seconds, unit: 'MiB/s' });
    }
  }
  return figures;
}

function benchOne(options: StageOptions, place: 'file' | 'buffer', size: number): number {
  const stagedPath = join(options.directory, 'pack');
  const tickets = new EndlessTickets(place === 'file' ? stagedPath : undefined);
  const hash = createHash('BLAKE2B-256-128', SECRET);
  const cipher = createCipher('AES256-GCM-HMAC-SHA256', SECRET);
  const packs = new PackWriter(tickets, hash, cipher, {
    packBytesMax: PACK_BYTES,
    formatVersion: 3,
  });
  const arena = allocateArena(size + SEAL_BYTES);
  fillWithNoise(arena.bytes, size);
  const key = new Uint8Array(17);
  const content = {
    key,
    iv: key.subarray(1),
    timestampSeconds: 1_767_225_600,
    originalBytes: size,
    compressionId: 0,
  };
  const words = new DataView(key.buffer);
  let next = 0;
  const writePack = () => {
    const { finished } = tickets;
    while (tickets.finished === finished) {
      words.setUint32(1, next++);
      packs.append('p', { arena, offset: NONCE_BYTES }, size, content);
    }
  };
  const seconds = secondsPerCall(writePack, budgetMs(options));
  packs.finishAll();
  rmSync(stagedPath, { force: true });
  return seconds;
}

/** Gives tickets at once, for one file or one buffer that all packs use in turn. */
class EndlessTickets extends TicketHolder {
  finished = 0;
  readonly #stagedPath: string | undefined;
  #buffer = new ArrayBuffer(PACK_BYTES + ROOM_BYTES);

  constructor(stagedPath: string | undefined) {
    const office = {
      grant: () => Promise.reject(new Error('not asked')),
      accept: () => {},
      fail: () => {},
    };
    super(openTicketLine(office), () => false);
    this.#stagedPath = stagedPath;
  }

  override take(kind: PackTicket['kind']): PackTicket {
    const place = this.#stagedPath ? { stagedPath: this.#stagedPath } : { buffer: this.#buffer };
    return { packId: `p${this.finished.toString(16).padStart(32, '0')}`, kind, ...place };
  }

  override giveBack(): void {
    this.finished++;
  }
}
