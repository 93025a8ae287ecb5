// How much of a new version of a file each splitter finds again in the old one, and how fast it
// cuts: `npm run bench -- --only chunkers -- OLD NEW`. What ADR 0004 rests on, for files of your
// own.

import { createHash } from 'node:crypto';
import { basename, dirname } from 'node:path';
import { createSplitter, splitterAlgorithm } from '#engine/chunk/splitters.ts';
import type { Splitter } from '#engine/chunk/splitter.ts';
import { CHUNK_MARGIN_BYTES, CHUNK_OFFSET } from '#engine/object/object-writer.ts';
import { openSourceFileSystem } from '#engine/snapshot/source/open-source-file-system.ts';
import { SourceListing } from '#engine/snapshot/source/source-listing.ts';
import { ENTRY_TYPE, SourceStat } from '#engine/snapshot/source/source-stat.ts';
import { readChunk } from '#engine/snapshot/upload/chunk-reader.ts';
import { MIB } from './stages/figure.ts';
import { median } from './stages/timing.ts';

export interface ChunkerRow {
  readonly splitter: string;
  /** Of the new file. */
  readonly chunks: number;
  readonly meanBytes: number;
  /** Bytes of chunks that neither the old file has nor the new one had further up. */
  readonly newBytes: number;
  readonly newPercent: number;
  /** Finding cuts alone, without reading; the median of several passes over the new file. */
  readonly splitMibPerSecond: number;
}

const SPLITTERS = ['4M', '2M', '1M'].flatMap(size => [
  `DYNAMIC-${size}-BUZHASH`,
  `FASTCDC-${size}`,
]);
const PASSES = 3;

export function compareChunkers(oldPath: string, newPath: string): ChunkerRow[] {
  return SPLITTERS.map(name => {
    const chunkBytesMax = splitterAlgorithm(name).maxBytes;
    const splitter = createSplitter(name, chunkBytesMax + CHUNK_MARGIN_BYTES);
    const seen = new Set<string>();
    cutFile(splitter, oldPath, id => seen.add(id));
    const found = { chunks: 0, bytes: 0, newBytes: 0 };
    cutFile(splitter, newPath, (id, bytes) => {
      found.chunks++;
      found.bytes += bytes;
      if (!seen.has(id)) found.newBytes += bytes;
      seen.add(id);
    });
    const passes = Array.from({ length: PASSES }, () => cutFile(splitter, newPath));
    return {
      splitter: name,
      chunks: found.chunks,
      meanBytes: found.bytes / found.chunks,
      newBytes: found.newBytes,
      newPercent: (found.newBytes * 100) / found.bytes,
      splitMibPerSecond: found.bytes / MIB / (median(passes) / 1000),
    };
  });
}

/** Cuts a file as the upload does; the milliseconds that finding cuts took. */
function cutFile(
  splitter: Splitter,
  path: string,
  onChunk?: (id: string, bytes: number) => void,
): number {
  const timed = new TimedSplitter(splitter);
  const fileSystem = openSourceFileSystem();
  const names = new SourceListing();
  const index = names.add(Buffer.from(basename(path)), ENTRY_TYPE.file);
  using directory = fileSystem.openRoot(dirname(path), { followsLinks: true });
  using file = fileSystem.openFile(directory, names, index);
  const stat = new SourceStat();
  fileSystem.statOpen(file, stat);
  for (let start = 0, isLast = false; !isLast;) {
    const place = { start, limit: Number.MAX_SAFE_INTEGER, fileBytes: stat.size };
    const chunk = readChunk(fileSystem, file, timed, place);
    if (chunk.length === 0) break;
    if (onChunk !== undefined) {
      const bytes = splitter.arena.bytes.subarray(CHUNK_OFFSET, CHUNK_OFFSET + chunk.length);
      onChunk(createHash('sha256').update(bytes).digest('hex'), chunk.length);
    }
    start += chunk.length;
    isLast = chunk.isLast;
  }
  return timed.splitMs;
}

/** Passes everything on and keeps the time. */
class TimedSplitter implements Splitter {
  splitMs = 0;
  readonly #splitter: Splitter;
  readonly name: string;
  readonly minBytes: number;
  readonly maxBytes: number;
  readonly form: Splitter['form'];
  readonly arena: Splitter['arena'];

  constructor(splitter: Splitter) {
    this.#splitter = splitter;
    this.name = splitter.name;
    this.minBytes = splitter.minBytes;
    this.maxBytes = splitter.maxBytes;
    this.form = splitter.form;
    this.arena = splitter.arena;
  }

  nextCut(offset: number, available: number, isLast: boolean): number {
    const start = performance.now();
    const cut = this.#splitter.nextCut(offset, available, isLast);
    this.splitMs += performance.now() - start;
    return cut;
  }

  reset(): void {
    this.#splitter.reset();
  }
}
