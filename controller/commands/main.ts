// `stevedore queue`, `stevedore nodes` and `stevedore annotations`: hands the process to
// run-command.ts or show-annotations.ts.

import { readFileSync } from 'node:fs';
import { endProcess } from '#engine/base/end-process.ts';
import { processSurface } from '#engine/cli/process-surface.ts';
import { runCommand } from './run-command.ts';
import { showAnnotations } from './show-annotations.ts';

const COLUMNS_DEFAULT = 100;

export async function main(): Promise<void> {
  const surface = processSurface(COLUMNS_DEFAULT);
  const given = surface.words;
  // `stevedore help queue`
  const words = given[0] === 'help' ? [...given.slice(1), '--help'] : given;
  const run = words[0] === 'annotations' ? showAnnotations : runCommand;
  const readText = (path: string) => readFileSync(path, 'utf8');
  const status = await run({ ...surface, words, readText });
  endProcess(status);
}
