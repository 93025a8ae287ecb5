// A directory that is worth storing: the project's own files, and what real directories hold beside
// small text: a disk image, logs, links, odd names, empty things, many files in one place.

import { cpSync, existsSync } from 'node:fs';
import { chmod, lutimes, mkdir, symlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { SeededRandom } from '#test/support/random.ts';
import { prose } from './prose.ts';

const MIB = 2 ** 20;
const OWN = ['agent', 'docs', 'test', 'README.md', 'LICENSE', 'package.json', 'package-lock.json'];
const MAILS = 800;

export async function makeSampleTree(directory: string, random: SeededRandom): Promise<void> {
  const root = fileURLToPath(new URL('../..', import.meta.url));
  for (const name of OWN) {
    const options = { recursive: true, preserveTimestamps: true };
    if (existsSync(join(root, name))) {
      cpSync(join(root, name), join(directory, 'project', name), options);
    }
  }
  await makeLargeFiles(join(directory, 'large'), random);
  await makeMails(join(directory, 'mail'), random);
  await makeOddities(join(directory, 'odd'));
}

async function makeLargeFiles(directory: string, random: SeededRandom): Promise<void> {
  await mkdir(directory, { recursive: true });
  const image = random.bytes(16 * MIB);
  await writeFile(join(directory, 'disk.img'), image);
  await writeFile(join(directory, 'disk-copy.img'), image);
  const line = () => `2026-11-20T12:00:00Z level=info ${prose(random, 60).replaceAll('\n', ' ')}\n`;
  await writeFile(join(directory, 'server.log'), Array.from({ length: 30_000 }, line).join(''));
}

async function makeMails(directory: string, random: SeededRandom): Promise<void> {
  await mkdir(directory, { recursive: true });
  for (let index = 0; index < MAILS; index++) {
    const path = join(directory, `${String(index).padStart(4, '0')}.eml`);
    await writeFile(path, prose(random, 500 + random.below(6000)));
    const seconds = 1_600_000_000 + index * 3600 + 0.25;
    await utimes(path, seconds, seconds);
  }
}

async function makeOddities(directory: string): Promise<void> {
  await mkdir(join(directory, 'empty directory'), { recursive: true });
  await mkdir(join(directory, ...'a very deep place for one small file'.split(' ')), {
    recursive: true,
  });
  await writeFile(join(directory, ...'a very deep place for one small file'.split(' '), 'x'), 'x');
  await writeFile(join(directory, 'empty'), '');
  await writeFile(join(directory, 'naïve 日本 🙂'), 'names are bytes');
  await writeFile(join(directory, 'two\nlines <&>"'), 'even so');
  await writeFile(join(directory, 'private'), 'mode 0600', { mode: 0o600 });
  await writeFile(join(directory, 'program'), '#!/bin/sh\necho hello\n');
  await chmod(join(directory, 'program'), 0o755);
  await symlink('../large/server.log', join(directory, 'link'));
  await symlink('/nowhere/at all', join(directory, 'dangling'));
  await lutimes(join(directory, 'link'), 1_000_000_000, 1_000_000_000);
  await utimes(join(directory, 'empty directory'), 86_400, 86_400);
}
