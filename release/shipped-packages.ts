// The packages that ship for a platform, as package-lock.json has them.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Architectures as Node names them, and as images do. */
export const ARCHITECTURES: Readonly<Record<string, string>> = Object.freeze({
  x64: 'amd64',
  arm64: 'arm64',
});

/** @param name either of the two. @throws Error where there is no image for it */
export function nodeArchitecture(name: string): string {
  const found = Object.entries(ARCHITECTURES).find(both => both.includes(name));
  if (found !== undefined) return found[0];
  throw new Error(`there is no image for ${name}; try: ${Object.keys(ARCHITECTURES).join(', ')}`);
}

export interface ShippedPackage {
  /** From the root of the repository: `node_modules/a/node_modules/b`. */
  readonly path: string;
  readonly name: string;
  readonly version: string;
  readonly licence: string;
  /** `sha512-…`, of what the registry gave. */
  readonly integrity: string;
}

// docs.npmjs.com, package-lock.json: `packages`, by path.
interface LockedPackage {
  readonly version?: string;
  readonly license?: string;
  readonly integrity?: string;
  readonly dev?: boolean;
  readonly os?: readonly string[];
  readonly cpu?: readonly string[];
}

/** Sorted by path. */
export function shippedPackages(root: string, architecture: string): ShippedPackage[] {
  const text = readFileSync(join(root, 'package-lock.json'), 'utf8');
  const { packages } = JSON.parse(text) as { packages: Record<string, LockedPackage> };
  const shipped = Object.entries(packages).filter(
    ([path, { dev, os, cpu }]) =>
      path !== '' &&
      dev !== true &&
      (os === undefined || os.includes('linux')) &&
      (cpu === undefined || cpu.includes(architecture)),
  );
  return shipped
    .map(([path, { version = '', license = '', integrity = '' }]) => ({
      path,
      name: path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length),
      version,
      licence: license,
      integrity,
    }))
    .sort((a, b) => (a.path < b.path ? -1 : 1));
}
