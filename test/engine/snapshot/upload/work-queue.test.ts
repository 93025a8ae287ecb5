import t from 'tap';
import { HEADER_WORDS } from '#engine/snapshot/source/change-record.ts';
import { createSelection } from '#engine/snapshot/source/selection.ts';
import { childRequest } from '#engine/snapshot/upload/compare-directories.ts';
import { OpenDirectory } from '#engine/snapshot/upload/open-directory.ts';
import { TotalsBuilder } from '#engine/snapshot/upload/part-totals.ts';
import { encodeText } from '#engine/snapshot/upload/piece-builder.ts';
import { SharedReading } from '#engine/snapshot/upload/shared-reading.ts';
import type {
  ChildDirectory,
  DirectoryPiece,
  ScanOutput,
} from '#engine/snapshot/upload/upload-tasks.ts';
import { WorkQueue } from '#engine/snapshot/upload/work-queue.ts';
import { childNamed, largeFile, metadataNamed, uploadRun } from './upload-run.ts';

const file = largeFile();
const noStamps = new Uint32Array(0);
const noBytes = new Uint8Array(0);
const page = { names: noBytes, types: noBytes, previous: noBytes, stamps: undefined };
const record = {
  own: new Uint32Array(4),
  entries: new Uint32Array(4),
  special: noStamps,
  digest: undefined,
};
const text = (bytes: Uint8Array) => Buffer.from(bytes).toString();

interface Listed {
  readonly children?: readonly ChildDirectory[];
  readonly pieces?: readonly DirectoryPiece[];
  readonly pageCount?: number;
  readonly previousCount?: number;
  readonly own?: ChildDirectory;
}

function opened({ children = [], pieces = [], pageCount = 0, ...more }: Listed = {}) {
  const totals = new TotalsBuilder();
  const summary = totals.directorySummary({ mtimeSeconds: 1, mtimeNanoseconds: 0 });
  const scanned: ScanOutput = {
    metadata: metadataNamed(''),
    selection: createSelection({}, { policiesBelow: new Map() }),
    children,
    pieces,
    pages: Array.from({ length: pageCount }, () => page),
    totals: totals.part(),
    isUnchanged: true,
    extras: { special: [] },
    record,
    previousCount: more.previousCount ?? 0,
    previousExtra: '',
    previousSummary: summary,
    written: undefined,
  };
  const place = {
    names: [],
    parent: undefined,
    position: 0,
    metadata: more.own ?? childNamed('d'),
  };
  const directory = new OpenDirectory(place, scanned);
  const files = directory.place(scanned.pieces);
  const pages = directory.placePages(scanned.pages);
  return { directory, files, pages, summary };
}

t.test('what completes something goes before what begins something', async t => {
  const queue = new WorkQueue(2);
  const { directory, files, pages } = opened({
    children: [childNamed('a')],
    pieces: [file],
    pageCount: 1,
  });
  queue.push(directory);
  queue.files.push(...files);
  queue.pages.push(...pages);
  queue.writes.push(directory);
  const compared = { known: undefined, isDifferent: false };
  const request = childRequest(directory, { child: childNamed('b'), position: 1 });
  queue.compared.push({ request, compared });
  const kinds = Array.from({ length: 6 }, () => queue.next()?.kind);
  t.strictSame(kinds, ['write', 'file', 'page', 'scan', 'children', undefined]);
});

t.test('directories are taken depth first, children in their order', async t => {
  const queue = new WorkQueue(1);
  queue.push(opened({ children: [childNamed('a'), childNamed('b'), childNamed('c')] }).directory);
  const names: string[] = [];
  for (let work = queue.next(); work; work = queue.next()) {
    if (work.kind !== 'children') continue;
    t.equal(work.children.length, 1, 'of which nothing is known');
    const name = text(work.children[0].child.name);
    names.push(name);
    if (name.length < 3) queue.push(opened({ children: [childNamed(`${name}1`)] }).directory);
  }
  t.strictSame(names, ['a', 'a1', 'a11', 'b', 'b1', 'b11', 'c', 'c1', 'c11']);
});

t.test(
  'directories that may be what they were are taken together, as many as is soon done',
  async t => {
    const leaf = (name: string, files: number, directories = 1): ChildDirectory => {
      const child = childNamed(name);
      const { summary } = opened();
      const previous = { ...metadataNamed(name), name, type: 'd', objectId: 'k1' };
      return { ...child, previous: { ...previous, summary: { ...summary, files, directories } } };
    };
    const children = [
      ...[leaf('a', 900), leaf('b', 900), leaf('c', 900), leaf('d', 0), leaf('e', 1, 2)],
      ...[leaf('f', 1, 2), leaf('g', 5000), { ...leaf('h', 0), resumed: [] }, leaf('i', 0)],
    ];
    const queue = new WorkQueue(1);
    queue.push(opened({ children }).directory);
    const taken: string[] = [];
    for (let work = queue.next(); work; work = queue.next()) {
      if (work.kind === 'children') taken.push(work.children.map(c => text(c.child.name)).join(''));
    }
    t.strictSame(taken, ['ab', 'cd', 'e', 'f', 'g', 'h', 'i'], 'none with children among them');
  },
);

t.test('those who would stand idle help with a file, as many as there are threads', async t => {
  const queue = new WorkQueue(2);
  const { files } = opened({ pieces: [file] });
  const reading = new SharedReading({ run: uploadRun(), names: [] }, file);
  queue.readings.add({ placed: files[0], reading, attempt: 1, sinceMs: 0 });
  reading.readers = 1;
  t.equal(queue.next()?.kind, 'join');
  reading.readers = 2;
  t.equal(queue.next(), undefined);
});

t.test('entries stand in their order, whoever finishes first', async t => {
  const { directory, files, pages } = opened({
    children: [childNamed('a'), childNamed('b')],
    pieces: [encodeText('{1}'), file, encodeText('{3}')],
    pageCount: 2,
  });
  const written = { objectId: 'k1', summary: opened().summary };
  const part = new TotalsBuilder().part();
  const done = { pieces: [], totals: part, isUnchanged: true, rest: undefined };
  directory.finishPage(pages[1].slots, { ...done, stamps: new Uint32Array([2, 2, 2, 2]) });
  directory.place([encodeText('{5}')], pages[1].slots);
  directory.finishChild(1, written);
  const late = directory.place([encodeText('{4}')], pages[0].slots);
  t.strictSame(late, []);
  const [rest] = directory.placePages([page], pages[0].slots);
  directory.finishPage(pages[0].slots, { ...done, stamps: new Uint32Array([1, 1, 1, 1]) });
  directory.finishChild(0, undefined);
  directory.finishFile(files[0], encodeText('{2}'), false);
  t.notOk(directory.isComplete);
  directory.place([encodeText('{4.5}')], rest.slots);
  directory.finishPage(rest.slots, { ...done, stamps: new Uint32Array([3, 3, 3, 3]) });
  t.ok(directory.isComplete);
  const pieces = directory.pieces().map(text);
  t.match(pieces[0], /^\{"name":"b","type":"d"/);
  t.strictSame(pieces.slice(1), ['{1}', '{2}', '{3}', '{4}', '{4.5}', '{5}']);
  const racy = 0xffff_fffe;
  const stamps = [0, racy, 0, 0, 1, 1, 1, 1, 3, 3, 3, 3, 2, 2, 2, 2];
  t.same([...(directory.record() ?? [])].slice(HEADER_WORDS), stamps, 'so do their stamps');
});

t.test("a directory is the parent snapshot's when nothing in it has changed", async t => {
  const { summary } = opened();
  const entry = {
    ...metadataNamed('a'),
    name: 'a',
    type: 'd',
    objectId: 'k-old',
  };
  const own = childNamed('d', { previous: { ...entry, name: 'd', objectId: 'k-own' } });
  const before = childNamed('a', { previous: entry });
  const build = (written: string, childNow = before, previousCount = 1) => {
    const { directory } = opened({ children: [childNow], previousCount, own });
    directory.finishChild(0, { objectId: written, summary });
    return directory.unchanged()?.objectId;
  };
  t.equal(build('k-old'), 'k-own');
  t.equal(build('k-new'), undefined, 'the child has another object');
  t.equal(build('k-old', { ...before, mode: 0o700 }), undefined);
  t.equal(build('k-old', { ...before, mtimeSeconds: 101 }), undefined);
  t.equal(build('k-old', childNamed('a')), undefined, 'the child is new');
  t.equal(build('k-old', before, 2), undefined, 'something is gone');
});

t.test("a parent's directory that tells of failures is written anew", async t => {
  const { summary } = opened();
  const own = childNamed('d', {
    previous: { ...metadataNamed('d'), name: 'd', type: 'd', objectId: 'k-own' },
  });
  const scanned: Partial<ScanOutput> = { previousSummary: { ...summary, failedCount: 1 } };
  const place = { names: [], parent: undefined, position: 0, metadata: own };
  const part = new TotalsBuilder().part();
  const base = { children: [], pieces: [], pages: [], totals: part, isUnchanged: true };
  const more = { previousCount: 0, selection: createSelection({}, { policiesBelow: new Map() }) };
  const before = { previousSummary: summary, previousExtra: '', extras: { special: [] }, record };
  const rest = { metadata: metadataNamed('d'), written: undefined, ...before };
  const whole = { ...base, ...more, ...rest };
  t.equal(new OpenDirectory(place, whole).unchanged()?.objectId, 'k-own');
  t.equal(new OpenDirectory(place, { ...whole, ...scanned }).unchanged(), undefined);
});
