// Which chunks of large files that are there are compared by one task: some 50 ms of them.

import { COMPARED_AT_ONCE_BYTES_MAX } from './examine-existing.ts';
import { CHUNK_FLAG, ENTRY_ACTION, type SectionTable } from './plan-tables.ts';

const TASK_BYTES_MAX = 64 << 20;
const TASK_CHUNKS_MAX = 4096;

export function* compareTasks({
  entries,
  chunks: columns,
  chunkCount,
}: Pick<SectionTable, 'entries' | 'chunks' | 'chunkCount'>): Generator<Uint32Array> {
  const isCompared = (chunk: number): boolean => {
    const row = columns.entry[chunk];
    const isLarge = entries.bytes[row] > COMPARED_AT_ONCE_BYTES_MAX;
    const isOpen = (columns.flags[chunk] & CHUNK_FLAG.present) === 0;
    return isOpen && isLarge && entries.action[row] === ENTRY_ACTION.update;
  };
  let chunks: number[] = [];
  let bytes = 0;
  for (let chunk = 0; chunk < chunkCount; chunk++) {
    if (!isCompared(chunk)) continue;
    chunks.push(chunk);
    bytes += columns.bytes[chunk];
    if (bytes < TASK_BYTES_MAX && chunks.length < TASK_CHUNKS_MAX) continue;
    yield Uint32Array.from(chunks);
    chunks = [];
    bytes = 0;
  }
  if (chunks.length > 0) yield Uint32Array.from(chunks);
}
