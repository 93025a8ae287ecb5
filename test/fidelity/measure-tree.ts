// Makes one tree with everything that a file system can hold, has each program back it up and
// restore it, and looks at what came back.

import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { GROUPS, UNSTORED, type Attribute } from './attribute-table.ts';
import type { Cell, MeasuredCell, MeasuredRow } from './cell.ts';
import type { Outcome, Program } from './program-table.ts';

/** An attribute that the source has, and how it looks there. */
interface Made {
  readonly group: string;
  readonly attribute: Attribute;
  /** Absent where the file system does not have it. */
  readonly expected?: string;
}

export interface TreeOptions {
  readonly mounted: string;
  readonly scratch: string;
  readonly programs: readonly Program[];
}

export interface MeasuredTree {
  readonly rows: MeasuredRow[];
  readonly unstored: MeasuredRow[];
  readonly skipped: string[];
}

/** What needs one of these is skipped where it is not installed. */
const TOOLS = ['setfattr', 'setfacl', 'chattr', 'lsattr', 'setcap', 'xfs_io', 'fallocate'];
const UNSTORED_GROUP = 'unstored';
const SCRIPT_MS_MAX = 30_000;
const DETAIL_LENGTH_MAX = 300;
/** Listens and goes away without the server that would take the name with it. */
const SOCKET_SCRIPT =
  'const [, path] = process.argv; require("node:net").createServer().listen(path + "~", () => {' +
  'require("node:fs").renameSync(path + "~", path); process.exit(0); });';

export function measureTree({ mounted, scratch, programs }: TreeOptions): MeasuredTree {
  const source = `${mounted}/source`;
  mkdirSync(source);
  const skipped = TOOLS.filter(tool => sh(`command -v ${tool}`, source).status !== 0).map(
    tool => `there is no ${tool}`,
  );
  const made = makeTree(source);
  const cells = programs.map(program => {
    const targets = `${mounted}/${program.name}`;
    const place = `${scratch}/${program.name}`;
    for (const each of [targets, place]) mkdirSync(each, { recursive: true });
    const outcome = program.run({ source, targets, scratch: place });
    rmSync(place, { recursive: true, force: true });
    return { name: program.name, cells: made.map(each => cellOf(each, outcome)) };
  });
  const all = made.map(({ group, attribute: { title } }, index): MeasuredRow => {
    const own = cells.flatMap(({ name, cells: column }) => {
      const cell = column[index];
      return cell === undefined ? [] : [[name, cell] as const];
    });
    return { group, title, cells: Object.fromEntries(own) };
  });
  return {
    rows: all.filter(({ group }) => group !== UNSTORED_GROUP),
    unstored: all.filter(({ group }) => group === UNSTORED_GROUP),
    skipped,
  };
}

/** Root last, since everything that is made in it changes it. */
function makeTree(source: string): Made[] {
  const waiting = [
    ...UNSTORED.map(attribute => ({ group: UNSTORED_GROUP, attribute })),
    ...GROUPS.flatMap(({ title, attributes }) =>
      attributes.map(attribute => ({ group: title, attribute })),
    ),
  ];
  const isMade = waiting.map(({ attribute }) => {
    const place = placeOf(source, attribute);
    mkdirSync(place, { recursive: true });
    return sh(`set -e\n${attribute.make}`, place).status === 0;
  });
  // Only now, when nothing is made any more.
  return waiting.map((each, index) => {
    if (isMade[index] === true) return { ...each, expected: read(source, each.attribute) };
    // What is left of it is not to be taken for something that was wanted.
    if (each.attribute.id !== '.') rmSync(placeOf(source, each.attribute), { recursive: true });
    return each;
  });
}

function placeOf(root: string, { id }: Attribute): string {
  return id === '.' ? root : `${root}/${directoryOf(id)}`;
}

/** A name that no message has for another reason. */
function directoryOf(id: string): string {
  return `row-${id}`;
}

function read(root: string, attribute: Attribute): string {
  return sh(attribute.read, placeOf(root, attribute)).text;
}

function sh(script: string, directory: string): { status: number | null; text: string } {
  const { status, stdout, stderr, error } = spawnSync('sh', ['-uc', script], {
    cwd: directory,
    encoding: 'latin1',
    timeout: SCRIPT_MS_MAX,
    env: { ...process.env, LC_ALL: 'C', TZ: 'UTC', NODE: process.execPath, SOCKET_SCRIPT },
  });
  if (error) return { status, text: error.message };
  return { status, text: stdout + stderr };
}

function cellOf({ attribute, expected }: Made, outcome: Outcome): MeasuredCell {
  if (expected === undefined) return { cell: 'none', detail: '' };
  const found = read(outcome.restored, attribute);
  if (found === expected) return { cell: 'kept', detail: '' };
  const cell: Cell = isNamed(attribute, outcome) ? 'named' : 'lost';
  const detail = `${expected.trim()} -> ${found.trim()}`.slice(0, DETAIL_LENGTH_MAX);
  return { cell, detail };
}

function isNamed({ id }: Attribute, { said, namedPaths }: Outcome): boolean {
  if (id === '.') return namedPaths.includes('.');
  const name = directoryOf(id);
  if (namedPaths.some(path => path === name || path.startsWith(`${name}/`))) return true;
  return namedPaths.length === 0 && new RegExp(`${name}(?![\\w-])`, 'u').test(said);
}
