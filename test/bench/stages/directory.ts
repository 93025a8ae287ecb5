// Directory objects of a thousand files: the text of each entry, the object, and reading it back.

import { decodeDirectory } from '#engine/format/directory-decode.ts';
import { encodeDirectory, encodeEntry, type DirEntry } from '#engine/format/directory.ts';
import type { BenchFigure, StageOptions } from './figure.ts';
import { budgetMs, secondsPerCall } from './timing.ts';

const ENTRIES = 1000;

export async function benchDirectory(options: StageOptions): Promise<BenchFigure[]> {
  const entries = Array.from({ length: ENTRIES }, (_, index) => entryOf(index));
  const summary = {
    bytes: ENTRIES * 4096,
    files: ENTRIES,
    symlinks: 0,
    directories: 1,
    maxTimeSeconds: 1_767_225_600,
    maxTimeNanoseconds: 1,
    incomplete: '',
    failedCount: 0,
    ignoredErrorCount: 0,
    failedEntries: [],
  };
  const encode = () =>
    encodeDirectory(
      entries.map(entry => encodeEntry(entry)),
      summary,
    );
  const bytes = Buffer.from(encode());
  if (decodeDirectory(bytes).entries.length !== ENTRIES) throw new Error('entries were lost');
  const budget = 2 * budgetMs(options);
  const perEntry = (seconds: number) => (seconds * 1e6) / ENTRIES;
  return [
    { name: 'bytes an entry', value: bytes.length / ENTRIES, unit: 'B' },
    { name: 'encode an entry', value: perEntry(secondsPerCall(encode, budget)), unit: 'us' },
    {
      name: 'decode an entry',
      value: perEntry(secondsPerCall(() => void decodeDirectory(bytes), budget)),
      unit: 'us',
    },
  ];
}

function entryOf(index: number): DirEntry {
  return {
    name: `file-${String(index).padStart(6, '0')}.txt`,
    type: 'f',
    mode: 0o644,
    bytes: 4096 + index,
    mtimeSeconds: 1_767_225_600 + (index >> 3),
    mtimeNanoseconds: index * 999_983,
    uid: 1000,
    gid: 1000,
    objectId: index.toString(16).padStart(32, '0'),
  };
}
