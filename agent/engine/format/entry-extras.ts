// What kopia's directory entries cannot say, in one extra field that kopia ignores: `stevedore` of
// an entry, and `stevedore` of a directory object for the directory itself and for what has no
// entry because kopia would take it for something else. docs/format-extensions.md is the format.
//
// An entry without anything extra has no such field, so that plain trees keep kopia's object ids.

import type { DirEntry } from './directory.ts';
import { isJsonObject, JsonFields, toBase64, type ExtraFields, type Fail } from './json-fields.ts';
import { parseEntryTime, formatEntryTime } from './entry-time.ts';
import { formatGoMode, parseGoMode } from './go-mode.ts';

export const EXTRAS_FIELD = 'stevedore';

export interface ExtendedAttribute {
  /** Bytes of the name as Latin-1 text: `user.comment`, `system.posix_acl_access`, … */
  readonly name: string;
  readonly value: Uint8Array;
}

export interface EntryExtras {
  /** The bytes of a name that is not UTF-8; the entry's own name is kopia's rendering of it. */
  readonly nameBytes?: Uint8Array;
  /** Entries of one snapshot with equal texts are names of one file. Means nothing else. */
  readonly linkGroup?: string;
  /** By name, in bytes; ACLs, capabilities and labels among them. */
  readonly xattrs?: readonly ExtendedAttribute[];
  /** Where the file has holes: offset, length, offset, length, …, ascending, not touching. */
  readonly holes?: readonly number[];
  /** Inode flags as FS_IOC_GETFLAGS gives them, those that can be set. */
  readonly flags?: number;
  /** Project id for quotas, where it is not 0. */
  readonly projectId?: number;
  /** How often 2^64 nanoseconds were taken off the mtime to make it one of kopia's. */
  readonly mtimeEras?: number;
  /** Of an entry in an incomplete snapshot that holds the start of a file: what it is part of. */
  readonly partial?: PartialFile;
  /** Names of fields that a later version wrote and this one does not know. */
  readonly unknown?: readonly string[];
}

export interface PartialFile {
  /** Length of the file. */
  readonly bytes: number;
  /** As texts of decimal numbers; '' where a backup must not go on from here. */
  readonly inode: string;
  readonly ctime: string;
}

/** `p` named pipe, `k` socket, `c` character device, `b` block device. */
export type SpecialType = 'p' | 'k' | 'c' | 'b';

/** Something that kopia does not store: it has no content, and kopia must not make a file of it. */
export interface SpecialEntry extends Pick<
  DirEntry,
  'name' | 'mode' | 'uid' | 'gid' | 'mtimeSeconds' | 'mtimeNanoseconds'
> {
  readonly type: SpecialType;
  /** Of devices. */
  readonly major: number;
  readonly minor: number;
  readonly extras?: EntryExtras;
}

export interface DirectoryExtras {
  /** Of the directory itself; it stands here so that the root of a snapshot has it, too. */
  readonly self?: EntryExtras;
  /** In the order of names in bytes. */
  readonly special: readonly SpecialEntry[];
}

/** The field for an entry; undefined when there is nothing to say. */
export function encodeExtras(extras: EntryExtras): ExtraFields | undefined {
  const fields = extrasFields(extras);
  return fields === undefined ? undefined : { [EXTRAS_FIELD]: fields };
}

/** The field for a directory object; undefined when there is nothing to say. */
export function encodeDirectoryExtras(extras: DirectoryExtras): ExtraFields | undefined {
  const self = extras.self && extrasFields(extras.self);
  const special = extras.special.map(specialFields);
  if (self === undefined && special.length === 0) return undefined;
  const fields = {
    ...(self === undefined ? {} : { self }),
    ...(special.length === 0 ? {} : { special }),
  };
  return { [EXTRAS_FIELD]: fields };
}

/**
 * What the extra fields of an entry say; undefined when they say nothing.
 * @throws what `fail` makes
 */
export function decodeExtras(extra: ExtraFields | undefined, fail: Fail): EntryExtras | undefined {
  const value = extra?.[EXTRAS_FIELD];
  return value === undefined ? undefined : parseExtras(value, fail);
}

/**
 * What the extra fields of a directory object say.
 * @throws what `fail` makes
 */
export function decodeDirectoryExtras(
  extra: ExtraFields | undefined,
  fail: Fail,
): DirectoryExtras | undefined {
  const value = extra?.[EXTRAS_FIELD];
  if (value === undefined) return undefined;
  const fields = new JsonFields(value, fail);
  const self = fields.take('self');
  return {
    self: self === undefined ? undefined : parseExtras(self, fail),
    special: fields.list('special').map(item => parseSpecial(item, fail)),
  };
}

function extrasFields(extras: EntryExtras): ExtraFields | undefined {
  const { nameBytes, linkGroup, xattrs = [], holes = [] } = extras;
  const { flags = 0, projectId = 0, mtimeEras = 0, partial } = extras;
  const fields = {
    ...(nameBytes === undefined ? {} : { name: toBase64(nameBytes) }),
    ...(linkGroup === undefined ? {} : { link: linkGroup }),
    ...(xattrs.length === 0
      ? {}
      : { xattrs: Object.fromEntries(xattrs.map(({ name, value }) => [name, toBase64(value)])) }),
    ...(holes.length === 0 ? {} : { holes }),
    ...(flags === 0 ? {} : { flags }),
    ...(projectId === 0 ? {} : { project: projectId }),
    ...(mtimeEras === 0 ? {} : { era: mtimeEras }),
    ...(partial === undefined ? {} : { partial: partialFields(partial) }),
  };
  return Object.keys(fields).length === 0 ? undefined : fields;
}

function partialFields({ bytes, inode, ctime }: PartialFile): ExtraFields {
  return { size: bytes, ...(inode === '' || ctime === '' ? {} : { inode, ctime }) };
}

function specialFields(entry: SpecialEntry): ExtraFields {
  const { name, type, mode, uid, gid, major, minor, extras } = entry;
  const isDevice = type === 'c' || type === 'b';
  return {
    name,
    type,
    mode: formatGoMode(mode),
    mtime: formatEntryTime(entry.mtimeSeconds, entry.mtimeNanoseconds),
    uid,
    gid,
    ...(isDevice ? { major, minor } : {}),
    ...(extras === undefined ? {} : (encodeExtras(extras) ?? {})),
  };
}

function parseExtras(value: unknown, fail: Fail): EntryExtras {
  const fields = new JsonFields(value, problem => fail(`field ${EXTRAS_FIELD}: ${problem}`));
  const nameBytes = fields.bytes('name');
  const linkGroup = fields.text('link');
  const xattrs = parseXattrs(fields, fail);
  const holes = parseHoles(fields.list('holes'), fail);
  const flags = fields.number('flags', 0, UINT32_MAX);
  const projectId = fields.number('project', 0, UINT32_MAX);
  const mtimeEras = fields.number('era', -ERAS_MAX, ERAS_MAX);
  const partial = fields.take('partial');
  const unknown = Object.keys(fields.extra() ?? {});
  return {
    ...(nameBytes.length === 0 ? {} : { nameBytes }),
    ...(linkGroup === '' ? {} : { linkGroup }),
    ...(xattrs.length === 0 ? {} : { xattrs }),
    ...(holes.length === 0 ? {} : { holes }),
    ...(flags === 0 ? {} : { flags }),
    ...(projectId === 0 ? {} : { projectId }),
    ...(mtimeEras === 0 ? {} : { mtimeEras }),
    ...(partial === undefined ? {} : { partial: parsePartial(partial, fail) }),
    ...(unknown.length === 0 ? {} : { unknown }),
  };
}

function parsePartial(value: unknown, fail: Fail): PartialFile {
  const fields = new JsonFields(value, problem => fail(`field ${EXTRAS_FIELD}: ${problem}`));
  const bytes = fields.number('size', 0, Number.MAX_SAFE_INTEGER);
  return { bytes, inode: fields.text('inode'), ctime: fields.text('ctime') };
}

function parseXattrs(fields: JsonFields, fail: Fail): ExtendedAttribute[] {
  return Object.entries(fields.textMap('xattrs')).map(([name, text]) => {
    const isName = name !== '' && !/[\0\u0100-\uffff]/.test(name) && name.length <= 255;
    if (!isName) throw fail(`field ${EXTRAS_FIELD}: ${JSON.stringify(name)} names no attribute`);
    return { name, value: new Uint8Array(Buffer.from(text, 'base64')) };
  });
}

function parseHoles(list: readonly unknown[], fail: Fail): readonly number[] {
  let end = 0;
  list.forEach((value, index) => {
    const isNumber = typeof value === 'number' && Number.isSafeInteger(value);
    const isOffset = index % 2 === 0;
    const isPlausible = isNumber && (isOffset ? value > end || index === 0 : value > 0);
    if (!isPlausible || value < 0) throw fail(`field ${EXTRAS_FIELD}: its holes are not in order`);
    end = isOffset ? value : end + value;
  });
  if (list.length % 2 !== 0) throw fail(`field ${EXTRAS_FIELD}: its last hole has no length`);
  // Every item was seen to be a number just now.
  return list as readonly number[];
}

function parseSpecial(value: unknown, fail: Fail): SpecialEntry {
  if (!isJsonObject(value)) throw fail('a special entry is not an object');
  const fields = new JsonFields(value, problem => fail(`special entry: ${problem}`));
  const name = fields.text('name');
  const type = fields.text('type');
  const modeText = fields.text('mode');
  // As in an entry: 0 is not written down.
  const mode = modeText === '' ? 0 : parseGoMode(modeText);
  const mtime = parseEntryTime(fields.text('mtime'));
  if (!isSpecialType(type)) throw fail(`special entry ${JSON.stringify(name)} is of type ${type}`);
  if (mode === undefined || mtime === undefined) {
    throw fail(`special entry ${JSON.stringify(name)} has no mode or time`);
  }
  const uid = fields.number('uid', 0, UINT32_MAX);
  const gid = fields.number('gid', 0, UINT32_MAX);
  const major = fields.number('major', 0, UINT32_MAX);
  const minor = fields.number('minor', 0, UINT32_MAX);
  return {
    name,
    type,
    mode,
    uid,
    gid,
    mtimeSeconds: mtime.seconds,
    mtimeNanoseconds: mtime.nanoseconds,
    major,
    minor,
    extras: decodeExtras(fields.extra(), fail),
  };
}

function isSpecialType(text: string): text is SpecialType {
  return text === 'p' || text === 'k' || text === 'c' || text === 'b';
}

const UINT32_MAX = 2 ** 32 - 1;
/** All times of 64 bits in seconds. */
const ERAS_MAX = 2 ** 29;
