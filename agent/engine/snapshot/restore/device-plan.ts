// What of an object goes where on a device: contents with all places of each, and what is zero. An
// object of terabytes has millions of chunks, so they come in sections.

import { EngineError } from '#engine/base/errors.ts';
import type { ObjectChunk } from '#engine/object/object-reader.ts';

/** Half a terabyte of chunks of 4 MiB, and some 30 MiB of memory. */
export const SECTION_CHUNKS_MAX = 131_072;
/** So many contents that stand in several places are compared with zeros. */
const CANDIDATES_MAX = 8;

export interface PlacedContent {
  readonly contentId: string;
  readonly isCompressed: boolean;
  /** Of the chunk. */
  readonly bytes: number;
  readonly positions: number[];
}

/** By the id of the content, in the order of their first places. */
export type DeviceSection = ReadonlyMap<string, PlacedContent>;

export interface DeviceRange {
  readonly position: number;
  readonly length: number;
}

/**
 * The chunks of an object, so many at a time; nothing for those without bytes.
 * @throws OBJECT_DAMAGED
 */
export async function* deviceSections(
  chunks: AsyncIterable<ObjectChunk>,
  chunksMax: number = SECTION_CHUNKS_MAX,
): AsyncIterable<DeviceSection> {
  let section = new Map<string, PlacedContent>();
  let count = 0;
  for await (const { contentId, offset, bytes, isCompressed } of chunks) {
    if (bytes === 0) continue;
    const known = section.get(contentId);
    if (known && (known.bytes !== bytes || known.isCompressed !== isCompressed)) {
      const text = `content ${contentId} stands for chunks of different lengths`;
      throw new EngineError('OBJECT_DAMAGED', `${text}; verify the repository`);
    }
    if (known) known.positions.push(offset);
    else section.set(contentId, { contentId, isCompressed, bytes, positions: [offset] });
    if (++count < chunksMax) continue;
    yield section;
    section = new Map();
    count = 0;
  }
  if (count > 0) yield section;
}

/**
 * Contents that may be what the splitter makes of zeros that go on: those that stand in the most
 * places. Others are found out when they have been fetched, once for each.
 */
export function zeroCandidates(section: DeviceSection): PlacedContent[] {
  return [...section.values()]
    .filter(({ positions, isCompressed }) => positions.length > 1 && !isCompressed)
    .sort((a, b) => b.positions.length - a.positions.length)
    .slice(0, CANDIDATES_MAX);
}

/** The places of contents, those that follow each other as one. */
export function rangesOf(contents: Iterable<PlacedContent>): DeviceRange[] {
  const places = [...contents].flatMap(({ positions, bytes }) =>
    positions.map(position => ({ position, length: bytes })),
  );
  places.sort((a, b) => a.position - b.position);
  const ranges: { position: number; length: number }[] = [];
  for (const { position, length } of places) {
    const last = ranges.at(-1);
    if (last && last.position + last.length === position) last.length += length;
    else ranges.push({ position, length });
  }
  return ranges;
}

/** The same in parts of at most `bytesMax`, at multiples of that. */
export function* partsOf(ranges: Iterable<DeviceRange>, bytesMax: number): Iterable<DeviceRange> {
  for (const { position, length } of ranges) {
    const end = position + length;
    for (let at = position; at < end;) {
      const next = Math.min(end, (Math.floor(at / bytesMax) + 1) * bytesMax);
      yield { position: at, length: next - at };
      at = next;
    }
  }
}
