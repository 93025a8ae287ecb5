// The files that the checks of this folder look at: everything of ours that is code.

import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export interface SourceFile {
  /** Relative to the repository root, with forward slashes. */
  readonly path: string;
  readonly text: string;
}

export const REPOSITORY_ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

const FOLDERS = Object.freeze(['agent', 'charts', 'controller', 'proto', 'release', 'test']);
const CODE = /\.(ts|js)$/;
/** Not ours to tidy: data, AssemblyScript (which has rules of its own), what is generated. */
const SKIPPED = /(^|\/)(node_modules|vectors|wasm\/assembly|proto\/generated)(\/|$)/;

/** All code files, sorted by path. */
export function readSourceFiles(root = REPOSITORY_ROOT): SourceFile[] {
  return FOLDERS.flatMap(folder => codeFilesBelow(root, folder))
    .sort()
    .map(path => ({ path, text: readFileSync(join(root, path), 'utf8') }));
}

function codeFilesBelow(root: string, folder: string): string[] {
  let entries;
  try {
    entries = readdirSync(join(root, folder), { withFileTypes: true });
  } catch (error) {
    // A folder of the layout that has not been begun yet.
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw error;
  }
  return entries.flatMap(entry => {
    const path = `${folder}/${entry.name}`;
    if (SKIPPED.test(path)) return [];
    if (entry.isDirectory()) return codeFilesBelow(root, path);
    return entry.isFile() && CODE.test(entry.name) ? [path] : [];
  });
}
