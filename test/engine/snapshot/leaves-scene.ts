// A tree of leaves, and what can happen to one: for tests of directories that are taken over.

import {
  chmodSync,
  linkSync,
  mkdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import type { Test } from 'tap';
import { backup } from '#engine/operations.ts';
import type { Repository } from '#engine/repository.ts';
import { fastDirectory } from '#test/engine/storage/fast-directory.ts';
import { request } from './backup-scene.ts';

/** A root with leaves of some files and a link each. */
export function makeLeaves(t: Test, leaves: number): string {
  const root = `${fastDirectory(t)}/tree`;
  for (let leaf = 0; leaf < leaves; leaf++) {
    mkdirSync(`${root}/leaf${leaf}`, { recursive: true });
    for (let file = 0; file < 5; file++) writeFileSync(`${root}/leaf${leaf}/f${file}`, `${file}`);
    symlinkSync('f0', `${root}/leaf${leaf}/link`);
  }
  return root;
}

/** Backs up until nothing is so young any more that it is read again, and once more. */
export async function settle(repository: Repository, path: string) {
  while ((await backup(repository, request(path))).bytesRead > 0);
  return await backup(repository, request(path));
}

/** By what it is called, each of a leaf as makeLeaves has made it. */
export const LEAF_CHANGES: Readonly<Record<string, (leaf: string) => void>> = {
  'a file of another length': leaf => writeFileSync(`${leaf}/f1`, 'longer'),
  'a file of the same length and time': leaf => {
    const { atime, mtime } = statSync(`${leaf}/f1`);
    writeFileSync(`${leaf}/f1`, 'X');
    utimesSync(`${leaf}/f1`, atime, mtime);
  },
  'a new name': leaf => renameSync(`${leaf}/f1`, `${leaf}/f9`),
  'two names that were exchanged': leaf => {
    renameSync(`${leaf}/f1`, `${leaf}/f9`);
    renameSync(`${leaf}/f2`, `${leaf}/f1`);
    renameSync(`${leaf}/f9`, `${leaf}/f2`);
  },
  'one more file': leaf => writeFileSync(`${leaf}/f9`, ''),
  'one file less': leaf => unlinkSync(`${leaf}/f4`),
  'no file': leaf => {
    for (let file = 0; file < 5; file++) unlinkSync(`${leaf}/f${file}`);
    unlinkSync(`${leaf}/link`);
  },
  'other permissions': leaf => chmodSync(`${leaf}/f1`, 0o600),
  'other permissions of the directory': leaf => chmodSync(leaf, 0o700),
  'a second name of a file': leaf => linkSync(`${leaf}/f1`, `${leaf}/f9`),
  'a link in place of a file': leaf => {
    unlinkSync(`${leaf}/f1`);
    symlinkSync('f2', `${leaf}/f1`);
  },
  'a link that leads elsewhere': leaf => {
    unlinkSync(`${leaf}/link`);
    symlinkSync('f1', `${leaf}/link`);
  },
  'a directory in place of a file': leaf => {
    unlinkSync(`${leaf}/f1`);
    mkdirSync(`${leaf}/f1`);
  },
  'a file in place of the directory': leaf => {
    rmSync(leaf, { recursive: true });
    writeFileSync(leaf, '');
  },
};
