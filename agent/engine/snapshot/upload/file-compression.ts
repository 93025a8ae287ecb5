// Whether the contents of a file are compressed, decided once for each object.

import { type Compressor, compressorByName } from '#engine/compress/compressors.ts';
import type { FileCompression } from './upload-tasks.ts';

/** What a sample must shrink to for compression to be worth its time: 15/16. */
const WORTHWHILE_SHARE = 15 / 16;
const SAMPLE_BYTES = 64 * 1024;

export class CompressionChoice {
  readonly #rule: FileCompression;
  /** What is used where compression is chosen. */
  readonly compressor: Compressor | undefined;

  constructor(rule: FileCompression) {
    this.#rule = rule;
    this.compressor = rule.kind === 'none' ? undefined : writableCompressor(rule.compressor);
  }

  /**
   * The compressor for a file, or undefined for none.
   * @param sample the beginning of the file
   */
  choose(name: string, fileBytes: number, sample: Uint8Array): Compressor | undefined {
    if (this.compressor === undefined || this.#rule.kind === 'none') return undefined;
    if (this.#rule.kind === 'auto') return this.#ifShrinks(this.compressor, sample);
    return isCompressedByPolicy(this.#rule, name, fileBytes) ? this.compressor : undefined;
  }

  #ifShrinks(compressor: Compressor, sample: Uint8Array): Compressor | undefined {
    const piece = middleOf(sample);
    const isSmaller = compressor.compress(piece).length < piece.length * WORTHWHILE_SHARE;
    return isSmaller ? compressor : undefined;
  }
}

/** zstd where a policy names something that we read and do not write (S2, LZ4). */
function writableCompressor(name: string): Compressor | undefined {
  return compressorByName(name) ?? compressorByName('zstd-fastest');
}

/** File headers are often unlike what follows, so a sample of the middle tells more. */
function middleOf(bytes: Uint8Array): Uint8Array {
  if (bytes.length <= SAMPLE_BYTES) return bytes;
  const start = Math.floor((bytes.length - SAMPLE_BYTES) / 2);
  return bytes.subarray(start, start + SAMPLE_BYTES);
}

/**
 * kopia snapshot/policy/compression_policy.go, CompressorForFile; but a list of what alone is to be
 * compressed is taken at its word, whereas kopia 0.23 compresses what is not on it, too.
 */
function isCompressedByPolicy(
  rule: Extract<FileCompression, { kind: 'policy' }>,
  name: string,
  fileBytes: number,
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
