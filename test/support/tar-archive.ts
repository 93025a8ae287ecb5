// Reads small tar archives (POSIX ustar, gzipped), so that tests of recorded repositories need no
// program beside Node.

import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join, normalize } from 'node:path';
import { gunzipSync } from 'node:zlib';

const BLOCK_BYTES = 512;
const ARCHIVE_BYTES_MAX = 64 << 20;

/** Creates the regular files of `archive` below `directory`. */
export async function unpackTar(archive: string, directory: string): Promise<void> {
  const packed = await readFile(archive);
  const bytes = gunzipSync(packed, { maxOutputLength: ARCHIVE_BYTES_MAX });
  for (let at = 0; at + BLOCK_BYTES <= bytes.length && bytes[at] !== 0;) {
    const text = (from: number, length: number): string =>
      bytes.toString('latin1', at + from, at + from + length).replace(/\0.*$/s, '');
    const name = [text(345, 155), text(0, 100)].filter(Boolean).join('/');
    const length = parseInt(text(124, 12), 8);
    const isFile = bytes[at + 156] === 0x30;
    const start = at + BLOCK_BYTES;
    if (normalize(name).startsWith('..')) throw new Error(`${archive} leads outside: ${name}`);
    if (isFile) {
      const path = join(directory, name);
      await mkdir(dirname(path), { recursive: true });
      await writeFile(path, bytes.subarray(start, start + length));
    }
    at = start + Math.ceil(length / BLOCK_BYTES) * BLOCK_BYTES;
  }
}
