// Which blobs are kept: those that never change once they are written, by the letters that their
// names begin with (kopia-format.md 1.1). What is replaced in place (kopia.repository,
// kopia.maintenance), markers of sessions and epochs, and what nobody knows pass by.

import { ENTRY_KINDS, type EntryKind } from './entry-table.ts';

const KINDS: readonly (readonly [RegExp, EntryKind])[] = Object.freeze([
  [/^p[0-9a-f]{32}/, 'data'],
  [/^q[0-9a-f]{32}/, 'metadata'],
  [/^x[nsr]\d+_/, 'index'],
  [/^[nm][0-9a-f]{32}(-|$)/, 'index'],
] satisfies [RegExp, EntryKind][]);

/** Index into ENTRY_KINDS; undefined for what is not kept. */
export function kindOfBlob(id: string): number | undefined {
  const found = KINDS.find(([pattern]) => pattern.test(id));
  return found && ENTRY_KINDS.indexOf(found[1]);
}
