// A stored tree in memory and a directory to restore it to. Tasks run in this thread, one after the
// other, so that a test sees each of them; restore-threads.test.ts has real threads.

import { join } from 'node:path';
import type t from 'tap';
import { contentIdOfKnownKey } from '#engine/format/content-id.ts';
import {
  restore,
  type RestoreOptions,
  type RestoreParts,
  type RestoreRequest,
} from '#engine/snapshot/restore/restore.ts';
import { restoreHandlers } from '#engine/snapshot/restore/restore-handlers.ts';
import type { RestoreTasks } from '#engine/snapshot/restore/restore-tasks.ts';
import type { TaskHandler, TaskRunner } from '#engine/workers/tasks.ts';
import { MemoryContents } from '#test/support/memory-contents.ts';
import { manifestsOver, putSnapshot, storeTree, type Node } from '#test/support/stored-tree.ts';

export const isRoot = process.getuid?.() === 0;

export interface Scene {
  readonly contents: MemoryContents;
  readonly parts: RestoreParts;
  readonly snapshot: string;
  readonly directory: string;
  readonly target: string;
  readonly run: (
    request?: Partial<RestoreRequest>,
    options?: RestoreOptions,
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
  const snapshot = putSnapshot(manifests, storeTree(contents, root));
  const directory = t.testdir(existing);
  const target = join(directory, 'target');
  const runner = inlineRunner();
  const locate = (key: Uint8Array) => contents.find(contentIdOfKnownKey(key));
  const memory = { restoreWindowBytes: 8 << 20, restorePlanBytes: 8 << 20 };
  const parts: RestoreParts = { contents, manifests, runner, keyBytes: 17, locate, memory };
  return {
    contents,
    parts,
    snapshot,
    directory,
    target,
    run: (request, options) => restore(parts, { snapshot, target, ...request }, options),
  };
}

export const small = (text: string): Node => ({ file: text });

function inlineRunner(): TaskRunner<RestoreTasks> {
  const handlers = restoreHandlers(undefined) as unknown as Readonly<
    // A kind always comes with its own input.
    Record<string, TaskHandler<unknown, unknown>>
  >;
  const run = async (kind: string, input: unknown): Promise<unknown> => {
    await new Promise(setImmediate);
    return (await handlers[kind](input)).output;
  };
  return {
    size: 2,
    run: run as TaskRunner<RestoreTasks>['run'],
    broadcast: (async (kind: string, input: unknown) => [
      await run(kind, input),
    ]) as TaskRunner<RestoreTasks>['broadcast'],
  };
}
