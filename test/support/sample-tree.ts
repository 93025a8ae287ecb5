// A tree of a few megabytes as backups meet them: many small files, large ones, what compresses and
// what does not, besides the odd things of random-tree.ts.

import { mkdir, writeFile } from 'node:fs/promises';
import { setLinkTimes } from '#test/support/file-times.ts';
import type { SeededRandom } from './random.ts';
import { makeRandomTree } from './random-tree.ts';

export interface SampleTreeOptions {
  readonly smallFiles?: number;
  /** Lengths of the large files. */
  readonly largeBytes?: readonly number[];
}

const MIB = 2 ** 20;

/** Makes `path`, which must not exist. */
export async function makeSampleTree(
  path: string,
  random: SeededRandom,
  { smallFiles = 300, largeBytes = [9 * MIB, 5 * MIB + 1] }: SampleTreeOptions = {},
): Promise<void> {
  await makeRandomTree(path, random);
  await mkdir(`${path}/sample-large`);
  for (const [index, length] of largeBytes.entries()) {
    const name = `${path}/sample-large/${index}`;
    await writeFile(name, index % 2 === 0 ? random.bytes(length) : logText(random, length));
  }
  await mkdir(`${path}/sample-small`);
  for (let index = 0; index < smallFiles; index++) {
    const name = `${path}/sample-small/${index}.txt`;
    const length = random.below(20_000);
    await writeFile(name, random.once(2) ? random.bytes(length) : logText(random, length));
    setLinkTimes(name, BigInt(random.below(2 ** 31)) * 1_000_000_000n + BigInt(random.below(1e9)));
  }
}

function logText(random: SeededRandom, length: number): Uint8Array {
  const lines: string[] = [];
  for (let written = 0; written < length;) {
    const line = `level=info request=${random.below(1e9)} path=/v1/things/${random.below(100)}\n`;
    lines.push(line);
    written += line.length;
  }
  return Buffer.from(lines.join('')).subarray(0, length);
}

/** Rewrites, adds and touches some of what makeSampleTree made. */
export async function changeSampleTree(path: string, random: SeededRandom): Promise<void> {
  await writeFile(`${path}/sample-small/1.txt`, random.bytes(5000));
  await writeFile(`${path}/sample-small/added.txt`, 'added');
  await writeFile(`${path}/sample-large/added`, random.bytes(3 * MIB));
  setLinkTimes(`${path}/sample-small/2.txt`, 1_234_567_890_123_456_789n);
}
