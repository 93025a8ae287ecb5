// A stored tree in memory and a directory to restore it to.

import { join } from 'node:path';
import type t from 'tap';
import { restore, type RestoreOptions } from '#engine/snapshot/restore/restore.ts';
import { MemoryContents } from '#test/support/memory-contents.ts';
import { manifestsOver, putSnapshot, storeTree, type Node } from '#test/support/stored-tree.ts';

export const isRoot = process.getuid?.() === 0;

export interface Scene {
  readonly contents: MemoryContents;
  readonly directory: string;
  readonly target: string;
  readonly run: (
    overwrite?: 'never' | 'always',
    options?: RestoreOptions,
    path?: string,
  ) => ReturnType<typeof restore>;
}

type Fixture = Parameters<typeof t.testdir>[0];

export function sceneOf(
  t: { testdir: (fixture?: Fixture) => string },
  root: Node,
  existing: Fixture = {},
): Scene {
  const contents = new MemoryContents();
  const manifests = manifestsOver(contents);
  const id = putSnapshot(manifests, storeTree(contents, root));
  const directory = t.testdir(existing);
  const target = join(directory, 'target');
  return {
    contents,
    directory,
    target,
    run: (overwrite, options, path = '') =>
      restore({ contents, manifests }, { snapshot: `${id}${path}`, target, overwrite }, options),
  };
}

export const small = (text: string): Node => ({ file: text });
