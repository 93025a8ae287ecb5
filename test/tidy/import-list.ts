// What a file imports, as TypeScript's own scanner sees it: import and export declarations, types
// included, and import() of a literal. Calls of what createRequire gives are added, since koffi is
// loaded that way.

import ts from 'typescript';

export interface Import {
  readonly specifier: string;
  /** Counted from 1. */
  readonly line: number;
}

const REQUIRED = /createRequire\([^)]*\)\(\s*['"]([^'"]+)['"]\s*\)/g;

export function importsOf(text: string): Import[] {
  const scanned = ts.preProcessFile(text, true, true).importedFiles.map(found => ({
    specifier: found.fileName,
    line: lineAt(text, found.pos),
  }));
  const required = [...text.matchAll(REQUIRED)].map(match => ({
    specifier: match[1] ?? '',
    line: lineAt(text, match.index),
  }));
  return [...scanned, ...required];
}

function lineAt(text: string, position: number): number {
  return text.slice(0, position).split('\n').length;
}
