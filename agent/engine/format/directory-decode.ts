// Reads directory objects (see directory.ts). Stricter than kopia, which takes the last of several
// entries of one name; as strict about types. Fields that this version does not know are kept.

import { parseDocument, documentText, failing, type Fail } from './json-fields.ts';
import { DIRECTORY_STREAM, type Directory, type DirEntry, type DirSummary } from './directory.ts';
import { parseEntryTime, type EntryTime } from './entry-time.ts';
import { parseGoMode } from './go-mode.ts';
import { isJsonObject, JsonFields, type ExtraFields } from './json-fields.ts';
import { isObjectId } from './object-id.ts';
import { EngineError } from '#engine/base/errors.ts';
import { constants } from 'node:buffer';

const UINT32_MAX = 2 ** 32 - 1;
const EPOCH: EntryTime = Object.freeze({ seconds: 0, nanoseconds: 0 });
const REPLACEMENT = '\ufffd';

// Numbers that JSON.parse would not keep exactly; what matches within a string does no harm.
const UNCOMMON_NUMBER = /(?:"\s*:|[[,])\s*-?(?:\d{16}|\d+[.eE])/;

/**
 * @param name what the directory is called in messages, say its object id
 * @throws DIRECTORY_DAMAGED
 * @throws LIMIT_EXCEEDED when it is longer than a JavaScript string can be
 */
export function decodeDirectory(bytes: Uint8Array, name = 'a directory'): Directory {
  if (bytes.length > constants.MAX_STRING_LENGTH) {
    const problem = `it has ${bytes.length} bytes, more than ${constants.MAX_STRING_LENGTH}`;
    throw new EngineError('LIMIT_EXCEEDED', `cannot read ${name}: ${problem}`);
  }
  const fail = failing('DIRECTORY_DAMAGED', name, 'the directory cannot be used');
  const fields = new JsonFields(parse(documentText(bytes), fail), fail);
  if (fields.text('stream') !== DIRECTORY_STREAM) throw fail(`its stream is not a directory`);
  const entries = fields
    .list('entries')
    .map((value, index) => decodeEntry(value, problem => fail(`entry ${index}: ${problem}`)));
  checkNames(entries, fail);
  const summary = fields.take('summary');
  return {
    entries,
    summary: summary === undefined ? undefined : decodeSummary(summary, fail),
    extra: fields.extra(),
  };
}

/** Known fields of an entry while they are being collected. */
interface PartialEntry {
  name: string;
  type: string;
  mode: number;
  bytes: number;
  mtime: EntryTime;
  uid: number;
  gid: number;
  objectId: string;
  summary: DirSummary | undefined;
}

type ReadField = (entry: PartialEntry, value: unknown, fail: Fail) => void;

const ENTRY_FIELDS: ReadonlyMap<string, ReadField> = new Map<string, ReadField>([
  ['name', (entry, value, fail) => void (entry.name = textOf(value, 'name', fail))],
  ['type', (entry, value, fail) => void (entry.type = textOf(value, 'type', fail))],
  ['mode', (entry, value, fail) => void (entry.mode = modeOf(value, fail))],
  ['size', (entry, value, fail) => void (entry.bytes = countOf(value, 'size', fail))],
  ['mtime', (entry, value, fail) => void (entry.mtime = timeOf(value, 'mtime', fail))],
  ['uid', (entry, value, fail) => void (entry.uid = ownerOf(value, 'uid', fail))],
  ['gid', (entry, value, fail) => void (entry.gid = ownerOf(value, 'gid', fail))],
  ['obj', (entry, value, fail) => void (entry.objectId = textOf(value, 'obj', fail))],
  ['summ', (entry, value, fail) => void (entry.summary = decodeSummary(value, fail))],
]);

/**
 * An entry out of parsed JSON.
 * @throws what `fail` makes
 */
export function decodeEntry(value: unknown, fail: Fail): DirEntry {
  if (!isJsonObject(value)) throw fail('it is not an object');
  const entry: PartialEntry = {
    name: '',
    type: '',
    mode: 0,
    bytes: 0,
    mtime: EPOCH,
    uid: 0,
    gid: 0,
    objectId: '',
    summary: undefined,
  };
  let unknown: [string, unknown][] | undefined;
  for (const name in value) {
    // Go matches names whatever their case, so must the rare writer that is not Go be read.
    const read = ENTRY_FIELDS.get(name) ?? ENTRY_FIELDS.get(name.toLowerCase());
    if (read === undefined) (unknown ??= []).push([name, value[name]]);
    else if (value[name] !== null || name === 'mode') read(entry, value[name], fail);
  }
  if (!isObjectId(entry.objectId)) throw fail(`"${entry.name}" refers to no object`);
  return finishEntry(entry, unknown === undefined ? undefined : Object.fromEntries(unknown));
}

function finishEntry(entry: PartialEntry, extra: ExtraFields | undefined): DirEntry {
  return {
    name: entry.name,
    type: entry.type,
    mode: entry.mode,
    bytes: entry.bytes,
    mtimeSeconds: entry.mtime.seconds,
    mtimeNanoseconds: entry.mtime.nanoseconds,
    uid: entry.uid,
    gid: entry.gid,
    objectId: entry.objectId,
    summary: entry.summary,
    extra,
  };
}

/**
 * A summary out of parsed JSON.
 * @throws what `fail` makes
 */
export function decodeSummary(value: unknown, fail: Fail): DirSummary {
  const fields = new JsonFields(value, problem => fail(`summary: ${problem}`));
  const maxTime = fields.take('maxTime');
  const time = maxTime === undefined ? EPOCH : timeOf(maxTime, 'maxTime', fail);
  const failedEntries = fields.list('errors').map(item => {
    const failed = new JsonFields(item, fail);
    return { path: failed.text('path'), error: failed.text('error') };
  });
  return {
    bytes: fields.number('size'),
    files: fields.number('files'),
    symlinks: fields.number('symlinks'),
    directories: fields.number('dirs'),
    maxTimeSeconds: time.seconds,
    maxTimeNanoseconds: time.nanoseconds,
    incomplete: fields.text('incomplete'),
    failedCount: fields.number('numFailed'),
    ignoredErrorCount: fields.number('numIgnoredErrors'),
    failedEntries,
    extra: fields.extra(),
  };
}

function parse(text: string, fail: Fail): unknown {
  if (UNCOMMON_NUMBER.test(text)) return parseDocument(text, fail);
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw fail('it is not JSON', cause);
  }
}

/**
 * Names that were not UTF-8 have U+FFFD for what they lost, so different ones can read the same;
 * kopia stores both, and who gave them extra fields can tell them apart.
 */
function checkNames(entries: readonly DirEntry[], fail: Fail): void {
  const names = new Set<string>();
  for (const { name } of entries) {
    if (names.has(name) && !name.includes(REPLACEMENT)) throw fail(`"${name}" occurs twice`);
    names.add(name);
  }
}

function textOf(value: unknown, field: string, fail: Fail): string {
  if (typeof value !== 'string') throw fail(`field ${field} is not a string`);
  return value;
}

function modeOf(value: unknown, fail: Fail): number {
  const mode = typeof value === 'string' ? parseGoMode(value) : undefined;
  if (mode === undefined) throw fail('field mode is not a string of octal digits');
  return mode;
}

function countOf(value: unknown, field: string, fail: Fail): number {
  if (typeof value === 'number' && value >= 0 && Number.isSafeInteger(value)) return value;
  throw fail(`field ${field} is not a number of bytes`);
}

function ownerOf(value: unknown, field: string, fail: Fail): number {
  const owner = countOf(value, field, fail);
  if (owner > UINT32_MAX) throw fail(`field ${field} is too large`);
  return owner;
}

function timeOf(value: unknown, field: string, fail: Fail): EntryTime {
  const time = typeof value === 'string' ? parseEntryTime(value) : undefined;
  if (time === undefined) throw fail(`field ${field} is not an RFC 3339 time`);
  return time;
}
