// The table of every form in which kopia stores a compressed content (kopia
// repo/compression/compression_ids.go, kopia-format.md 8.3). A content is u32be(header id) followed
// by a stream; the ids of one family share a decoder and only record a level.

export type CompressionFamily = 'gzip' | 'zstd' | 's2' | 'lz4' | 'deflate';

export interface Compression {
  /** What policies call it. */
  readonly name: string;
  readonly headerId: number;
  /** What the stream is; pgzip's is gzip. */
  readonly family: CompressionFamily;
}

/** How many bytes of header id stand before the stream. */
export const HEADER_BYTES = 4;

function row(headerId: number, name: string, family: CompressionFamily): Compression {
  return Object.freeze({ name, headerId, family });
}

export const COMPRESSIONS: readonly Compression[] = Object.freeze([
  row(0x1000, 'gzip', 'gzip'),
  row(0x1001, 'gzip-best-speed', 'gzip'),
  row(0x1002, 'gzip-best-compression', 'gzip'),
  row(0x1100, 'zstd', 'zstd'),
  row(0x1101, 'zstd-fastest', 'zstd'),
  row(0x1102, 'zstd-better-compression', 'zstd'),
  row(0x1103, 'zstd-best-compression', 'zstd'),
  row(0x1200, 's2-default', 's2'),
  row(0x1201, 's2-better', 's2'),
  row(0x1202, 's2-parallel-4', 's2'),
  row(0x1203, 's2-parallel-8', 's2'),
  row(0x1300, 'pgzip', 'gzip'),
  row(0x1301, 'pgzip-best-speed', 'gzip'),
  row(0x1302, 'pgzip-best-compression', 'gzip'),
  row(0x1400, 'lz4', 'lz4'),
  row(0x1500, 'deflate-default', 'deflate'),
  row(0x1501, 'deflate-best-speed', 'deflate'),
  row(0x1502, 'deflate-best-compression', 'deflate'),
]);

const BY_HEADER_ID: ReadonlyMap<number, Compression> = new Map(
  COMPRESSIONS.map(compression => [compression.headerId, compression]),
);
const BY_NAME: ReadonlyMap<string, Compression> = new Map(
  COMPRESSIONS.map(compression => [compression.name, compression]),
);

export function compressionByHeaderId(headerId: number): Compression | undefined {
  return BY_HEADER_ID.get(headerId);
}

export function compressionByName(name: string): Compression | undefined {
  return BY_NAME.get(name);
}

/** The header id that `stored` begins with; undefined when it is too short to have one. */
export function readHeaderId(stored: Uint8Array): number | undefined {
  if (stored.length < HEADER_BYTES) return undefined;
  return ((stored[0] << 24) | (stored[1] << 16) | (stored[2] << 8) | stored[3]) >>> 0;
}

/** u32be(headerId) || stream, in memory of its own. */
export function withHeaderId(headerId: number, stream: Uint8Array): Uint8Array {
  const stored = new Uint8Array(HEADER_BYTES + stream.length);
  new DataView(stored.buffer).setUint32(0, headerId);
  stored.set(stream, HEADER_BYTES);
  return stored;
}

/** `0x1101`, as people find it in kopia's sources. */
export function formatHeaderId(headerId: number): string {
  return `0x${headerId.toString(16).padStart(4, '0')}`;
}
