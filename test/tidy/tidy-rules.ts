// Rules of style that a program can check, each a function from a file to its faults. Few, and
// without exceptions; a new rule arrives with no violations in the tree (STYLE 42).

import type { SourceFile } from './source-files.ts';

export interface TidyRule {
  readonly name: string;
  readonly faultsOf: (file: SourceFile) => string[];
}

const LINES_MAX = 400;
export const COLUMNS_MAX = 100;
/** Names that say nothing about what is inside, alone or as a part of a name. */
const EMPTY_WORDS = /(^|-)(utils?|helpers?|common|manager|misc)(-|$)/;
const EMPTY_NAMES = /^(data|info|types)$/;
/** As a comment, or with a colon or a name behind it; TAP has a directive of that name. */
const NOTES = '(TODO|FIXME)';
const UNFINISHED = new RegExp(`(//|/\\*|^ *\\*).*\\b${NOTES}\\b|\\b${NOTES}[:(]`);

export const TIDY_RULES: readonly TidyRule[] = Object.freeze([
  {
    name: `a file has at most ${LINES_MAX} lines`,
    faultsOf: ({ text }: SourceFile) => {
      const count = linesOf(text).length;
      return count > LINES_MAX ? [`${count} lines; split it by idea`] : [];
    },
  },
  {
    name: `a line has at most ${COLUMNS_MAX} columns`,
    faultsOf: ({ text }: SourceFile) =>
      eachLine(text, line =>
        line.length > COLUMNS_MAX ? `${line.length} columns; break it` : undefined,
      ),
  },
  {
    name: 'nothing is a default export',
    faultsOf: ({ text }: SourceFile) =>
      eachLine(text, line => (/^export default\b/.test(line) ? 'name what you export' : undefined)),
  },
  {
    name: 'no work is left as a note in the code',
    faultsOf: ({ text }: SourceFile) =>
      eachLine(text, line => (UNFINISHED.test(line) ? 'do it, or write an issue' : undefined)),
  },
  {
    name: 'a file name says what is inside',
    faultsOf: ({ path }: SourceFile) => {
      const name = (path.split('/').at(-1) ?? '').replace(/(\.test)?\.[a-z]+$/, '');
      const isEmpty = EMPTY_WORDS.test(name) || EMPTY_NAMES.test(name);
      return isEmpty ? [`'${name}' fits anything; name it after its main export`] : [];
    },
  },
  {
    name: 'a file name is in kebab case',
    faultsOf: ({ path }: SourceFile) =>
      /^[a-z0-9-]+(\.[a-z0-9-]+)*\.(ts|js)$/.test(path.split('/').at(-1) ?? '')
        ? []
        : ['use lower case and hyphens'],
  },
]);

/** One line for each fault of `files`. */
export function tidyFaults(files: readonly SourceFile[]): string[] {
  return files.flatMap(file =>
    TIDY_RULES.flatMap(rule => rule.faultsOf(file).map(fault => `${file.path}: ${fault}`)),
  );
}

function linesOf(text: string): string[] {
  return text.replace(/\n$/, '').split('\n');
}

function eachLine(text: string, faultOf: (line: string) => string | undefined): string[] {
  return linesOf(text).flatMap((line, index) => {
    const fault = faultOf(line);
    return fault === undefined ? [] : [`line ${index + 1}: ${fault}`];
  });
}
