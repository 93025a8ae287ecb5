// The index stage of the benchmark: loads generated index files blob by blob into a table and looks
// keys up on one core. Nothing but the table and one file is ever in memory.

import { IndexTableBuilder } from '#engine/index/table-builder.ts';
import type { IndexTable } from '#engine/index/table.ts';
import type { BenchFigure } from './figure.ts';

export interface IndexBenchOptions {
  readonly contents: number;
}

const BLOB_ENTRIES = 1_000_000;
const KEY_BYTES = 17;
const ENTRY_BYTES = 16;
const STRIDE = KEY_BYTES + ENTRY_BYTES;
const HEADER_BYTES = 17;
const PACK_ID_BYTES = 53;
const CONTENTS_PER_PACK = 100;
const LOOKUPS = 1_000_000;

/** Load time, memory and look-ups per second of an index of `contents` contents. */
export async function benchIndex(options: IndexBenchOptions): Promise<BenchFigure[]> {
  const { contents } = options;
  const random = randomWords(contents);
  const fileBytes = fileBytesFor(Math.min(contents, BLOB_ENTRIES));
  const file = new Uint8Array(fileBytes);
  const rssBefore = peakMebibytes();
  const builder = new IndexTableBuilder({ hashBytes: KEY_BYTES - 1, expectedContents: contents });
  let loadMs = 0;
  for (let done = 0; done < contents; done += BLOB_ENTRIES) {
    const bytes = writeFile(file, Math.min(BLOB_ENTRIES, contents - done), random);
    const start = performance.now();
    builder.addFile(bytes, { name: `bench-${done}` });
    loadMs += performance.now() - start;
  }
  const start = performance.now();
  const table = builder.finish();
  const finishMs = performance.now() - start;
  const rssAfter = peakMebibytes();
  const { totalBytes, packBytes } = table.memory;
  return [
    { name: 'contents', value: table.count, unit: '' },
    { name: 'load', value: (loadMs + finishMs) / 1000, unit: 's' },
    { name: 'load: of this sorting', value: finishMs / 1000, unit: 's' },
    { name: 'memory per content', value: totalBytes / table.count, unit: 'B' },
    { name: 'memory per content: of this pack ids', value: packBytes / table.count, unit: 'B' },
    { name: 'peak resident memory', value: rssAfter, unit: 'MiB' },
    { name: 'peak resident memory: growth', value: rssAfter - rssBefore, unit: 'MiB' },
    { name: 'look-ups, hits', value: measure(table, hitKeys(table, random), 1), unit: '/s' },
    { name: 'look-ups, misses', value: measure(table, missKeys(random), 0), unit: '/s' },
  ];
}

/** Keys back to back; found is checked so that nothing wrong is measured. */
function measure(table: IndexTable, keys: Uint8Array, shareFound: number): number {
  const count = keys.length / KEY_BYTES;
  let best = 0;
  for (let round = 0; round < 3; round++) {
    let found = 0;
    const start = performance.now();
    for (let at = 0; at < keys.length; at += KEY_BYTES) {
      if (table.find(keys, at, KEY_BYTES) >= 0) found++;
    }
    best = Math.max(best, (count * 1000) / (performance.now() - start));
    if (found !== count * shareFound) throw new Error(`found ${found} of ${count} keys`);
  }
  return best;
}

function hitKeys(table: IndexTable, random: () => number): Uint8Array {
  const keys = new Uint8Array(LOOKUPS * KEY_BYTES);
  for (let i = 0; i < LOOKUPS; i++) {
    keys.set(table.entryAt(random() % table.count).key, i * KEY_BYTES);
  }
  return keys;
}

function missKeys(random: () => number): Uint8Array {
  const keys = new Uint8Array(LOOKUPS * KEY_BYTES);
  for (let i = 0; i < keys.length; i++) keys[i] = i % KEY_BYTES === 0 ? 0 : random() >>> 24;
  return keys;
}

function fileBytesFor(entries: number): number {
  const packs = Math.ceil(entries / CONTENTS_PER_PACK);
  return HEADER_BYTES + entries * STRIDE + packs * (5 + PACK_ID_BYTES) + 6;
}

/** Writes a version 2 file of random contents: 97 in 100 data, the rest with prefix 'k'. */
function writeFile(file: Uint8Array, entries: number, random: () => number): Uint8Array {
  const view = new DataView(file.buffer);
  const packs = Math.ceil(entries / CONTENTS_PER_PACK);
  view.setUint32(0, 0x02110010);
  view.setUint32(4, entries);
  view.setUint32(8, packs);
  view.setUint32(12, 0x01000000);
  const dataEntries = Math.ceil(entries * 0.97);
  for (let i = 0; i < entries; i++) {
    const isData = i < dataEntries;
    const rank = isData ? i : i - dataEntries;
    const step = 2 ** 32 / (isData ? dataEntries : entries - dataEntries);
    const at = HEADER_BYTES + i * STRIDE;
    // Hashes ascend because each lies in its own step.
    view.setUint8(at, isData ? 0 : 0x6b);
    view.setUint32(at + 1, Math.floor((rank + random() / 2 ** 32) * step));
    for (let word = 5; word < KEY_BYTES; word += 4) view.setUint32(at + word, random());
    view.setUint32(at + 17, 1_767_225_600 + (random() >>> 12));
    view.setUint32(at + 21, random() >>> 8);
    view.setUint32(at + 25, random());
    view.setUint32(at + 29, random());
    view.setUint16(at + 31, random() % packs);
  }
  const packsAt = HEADER_BYTES + entries * STRIDE;
  const namesAt = packsAt + packs * 5 + 6;
  view.setUint32(namesAt - 6, 0);
  view.setUint16(namesAt - 2, 0x0300);
  for (let pack = 0; pack < packs; pack++) {
    const nameAt = namesAt + pack * PACK_ID_BYTES;
    view.setUint8(packsAt + pack * 5, PACK_ID_BYTES);
    view.setUint32(packsAt + pack * 5 + 1, nameAt);
    for (let i = 0; i < PACK_ID_BYTES; i++) file[nameAt + i] = 97 + (random() % 6);
  }
  return file.subarray(0, namesAt + packs * PACK_ID_BYTES);
}

function peakMebibytes(): number {
  return process.resourceUsage().maxRSS / 1024;
}

/** A seeded stream of u32 (xorshift32). */
function randomWords(seed: number): () => number {
  let state = seed | 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
}
