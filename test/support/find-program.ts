// Other people's programs that tests and benchmarks compare with, where they are at hand.

import { spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

export interface FoundProgram {
  readonly path: string;
  /** What it says when it is asked for its version. */
  readonly said: string;
}

/** A program that was named, or found, and cannot be run: said in one line, without a stack. */
export class ProgramProblem extends Error {
  override readonly name = 'ProgramProblem';
}

/**
 * What `variable` names, else the first of that name on the PATH; undefined where there is none.
 * @throws ProgramProblem for one that cannot be run: who names a program wants it to take part
 */
export function findProgram(
  name: string,
  { variable, versionWord }: { readonly variable: string; readonly versionWord: string },
): FoundProgram | undefined {
  const named = process.env[variable];
  const isNamed = named !== undefined && named !== '';
  const path = isNamed ? named : onPath(name);
  if (path === undefined) return undefined;
  const { error, status, stdout } = spawnSync(path, [versionWord], { encoding: 'utf8' });
  if (!error && status === 0) return { path, said: stdout };
  const who = isNamed ? `${variable} names` : 'the PATH leads to';
  const why = error?.message ?? `it ended with ${status}`;
  throw new ProgramProblem(`${who} ${path}, which cannot be run: ${why}; set ${variable} anew`);
}

function onPath(name: string): string | undefined {
  const places = (process.env.PATH ?? '').split(delimiter).filter(Boolean);
  return places.map(place => join(place, name)).find(isProgram);
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
