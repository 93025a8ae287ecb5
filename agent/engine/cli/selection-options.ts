// The options that say what a snapshot contains; `backup` and `explain` have them in common.

import { resolve } from 'node:path';
import { isSet, optionalText, textList, usageError, type OptionValues } from './option-values.ts';
import { parseBytes } from './quantity.ts';
import type { Engine, OptionRow, Surroundings } from './verb.ts';

type BackupRequest = Parameters<Engine['backup']>[1];
type Selecting = Pick<
  BackupRequest,
  | 'exclude'
  | 'excludeFrom'
  | 'ignoreFileNames'
  | 'fileBytesMax'
  | 'isOneFileSystem'
  | 'storesCacheDirectories'
>;

export const SELECTION_OPTIONS: readonly OptionRow[] = Object.freeze([
  {
    flags: '--exclude <pattern>',
    text: 'leave out, as in .gitignore; !PATTERN takes back',
    isRepeatable: true,
  },
  { flags: '--exclude-from <file>', text: 'file with such patterns', isRepeatable: true },
  {
    flags: '--ignore-file <name>',
    text: 'heed files of this name in every directory, as git does',
    isRepeatable: true,
  },
  { flags: '--no-cachedir-tag', text: 'store directories with a CACHEDIR.TAG as well' },
  { flags: '--one-file-system', text: 'leave out what lies on another file system' },
  { flags: '--max-file-size <size>', text: 'leave out larger files: 500M, 2G' },
]);

/** Only what was given. @throws USAGE */
export function selectionRequest(options: OptionValues, surroundings: Surroundings): Selecting {
  const exclude = textList(options, 'exclude');
  const from = textList(options, 'excludeFrom');
  const ignoreFileNames = textList(options, 'ignoreFile');
  const fileBytesMax = sizeOf(optionalText(options, 'maxFileSize'), '--max-file-size');
  return {
    ...(exclude.length > 0 ? { exclude } : {}),
    ...(from.length > 0
      ? { excludeFrom: from.map(file => resolve(surroundings.workingDirectory, file)) }
      : {}),
    ...(ignoreFileNames.length > 0 ? { ignoreFileNames } : {}),
    ...(fileBytesMax === undefined ? {} : { fileBytesMax }),
    ...(isSet(options, 'oneFileSystem') ? { isOneFileSystem: true } : {}),
    // An option that begins with --no- is true until it is given.
    ...(options.cachedirTag === false ? { storesCacheDirectories: true } : {}),
  };
}

function sizeOf(text: string | undefined, what: string): number | undefined {
  if (text === undefined) return undefined;
  const bytes = parseBytes(text);
  if (bytes !== undefined && bytes > 0) return bytes;
  throw usageError(`${what} is '${text}'; give bytes, or a number with K, M, G or T behind it`);
}
