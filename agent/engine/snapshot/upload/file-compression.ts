// Whether the contents of a file are compressed, decided once for each object.

import { allocateArena, type Arena } from '#engine/base/arena.ts';
import { type ArenaRegion, compressRegion } from '#engine/compress/compress-region.ts';
import { type Compressor, compressorByName } from '#engine/compress/compressors.ts';
import type { FileCompression } from './upload-tasks.ts';

/** What a sample must shrink to for compression to be worth its time: 15/16. */
const WORTHWHILE_SHARE = 15 / 16;
const SAMPLE_BYTES = 64 * 1024;

export interface NamedFile {
  readonly name: string;
  readonly bytes: number;
}

export class CompressionChoice {
  readonly #rule: FileCompression;
  /** What is used where compression is chosen. */
  readonly compressor: Compressor | undefined;
  #scratch: Arena | undefined;

  constructor(rule: FileCompression) {
    this.#rule = rule;
    this.compressor = rule.kind === 'none' ? undefined : writableCompressor(rule.compressor);
  }

  /**
   * The compressor for a file, or undefined for none.
   * @param start the first `length` bytes of the file
   */
  choose(file: NamedFile, start: ArenaRegion, length: number): Compressor | undefined {
    if (this.compressor === undefined || this.#rule.kind === 'none') return undefined;
    if (this.#rule.kind === 'auto') {
      // A short file is its own sample: a content that does not shrink is stored as it is.
      const isWorthwhile =
        length <= SAMPLE_BYTES || this.#doesShrink(this.compressor, start, length);
      return isWorthwhile ? this.compressor : undefined;
    }
    return isCompressedByPolicy(this.#rule, file) ? this.compressor : undefined;
  }

  /** File headers are often unlike what follows, so a sample of the middle tells more. */
  #doesShrink(compressor: Compressor, { arena, offset }: ArenaRegion, length: number): boolean {
    this.#scratch ??= allocateArena(SAMPLE_BYTES);
    const sample = { arena, offset: offset + Math.floor((length - SAMPLE_BYTES) / 2) };
    const bytesMax = Math.floor(SAMPLE_BYTES * WORTHWHILE_SHARE);
    const output = { arena: this.#scratch, offset: 0 };
    return compressRegion(compressor, sample, SAMPLE_BYTES, output, bytesMax) > 0;
  }
}

/** zstd where a policy names something that we read and do not write (S2, LZ4). */
function writableCompressor(name: string): Compressor | undefined {
  return compressorByName(name) ?? compressorByName('zstd-fastest');
}

/**
 * kopia snapshot/policy/compression_policy.go, CompressorForFile; but a list of what alone is to be
 * compressed is taken at its word, whereas kopia 0.23 compresses what is not on it, too.
 */
function isCompressedByPolicy(
  rule: Extract<FileCompression, { kind: 'policy' }>,
  { name, bytes: fileBytes }: NamedFile,
): boolean {
  if (fileBytes < rule.minBytes) return false;
  if (rule.maxBytes > 0 && fileBytes > rule.maxBytes) return false;
  const extension = extensionOf(name);
  if (rule.onlyCompress.length > 0) return rule.onlyCompress.includes(extension);
  return !rule.neverCompress.includes(extension);
}

/** As Go's filepath.Ext: from the last dot on, `.bashrc` included. */
function extensionOf(name: string): string {
  const dot = name.lastIndexOf('.');
  return dot === -1 ? '' : name.slice(dot);
}
