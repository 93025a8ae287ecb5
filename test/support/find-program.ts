// Other people's programs that tests and benchmarks compare with, where they are at hand.

import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** What `variable` names, else the first of that name on the PATH. */
export function findProgram(name: string, variable: string): string | undefined {
  const named = process.env[variable];
  if (named !== undefined && named !== '') return named;
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
