// Where the programs of a cluster are: as test/cluster/build.sh makes them, else on the PATH.

import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const BUILT = fileURLToPath(new URL('../../out/bin/', import.meta.url));

/** @throws Error where there is none */
export function clusterProgram(name: string): string {
  const path = find(name);
  if (path === undefined) throw new Error(`no ${name}: run test/cluster/build.sh`);
  return path;
}

/** Why what needs these programs, or directories, is skipped; false when all are there. */
export function isMissing(...names: readonly string[]): string | false {
  const missing = names.filter(name => find(name) === undefined);
  return missing.length > 0 && `no ${missing.join(', ')}: run test/cluster/build.sh`;
}

function find(name: string): string | undefined {
  const places = [BUILT, ...(process.env.PATH ?? '').split(delimiter).filter(Boolean)];
  return places.map(place => join(place, name)).find(isUsable);
}

function isUsable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
