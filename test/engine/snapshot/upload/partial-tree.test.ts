import t from 'tap';
import { EngineError } from '#engine/base/errors.ts';
import { createSelection } from '#engine/snapshot/source/selection.ts';
import { OpenDirectory } from '#engine/snapshot/upload/open-directory.ts';
import { gatherPartialTree } from '#engine/snapshot/upload/partial-tree.ts';
import { TotalsBuilder } from '#engine/snapshot/upload/part-totals.ts';
import { encodeText } from '#engine/snapshot/upload/piece-builder.ts';
import type { ScanOutput } from '#engine/snapshot/upload/upload-tasks.ts';
import { childNamed } from './upload-run.ts';

const totals = new TotalsBuilder();
const noStamps = new Uint32Array(0);

function open(name: string, parent: OpenDirectory | undefined, children: readonly string[]) {
  const scanned: ScanOutput = {
    metadata: childNamed(name),
    selection: createSelection({}, { policiesBelow: new Map() }),
    children: children.map(each => childNamed(each)),
    pieces: [],
    pages: [],
    totals: totals.part(),
    isUnchanged: false,
    extras: { special: [] },
    record: { own: new Uint32Array(4), entries: noStamps, special: noStamps, digest: undefined },
    previousCount: 0,
    previousExtra: '',
    previousSummary: undefined,
    written: undefined,
  };
  const names = parent === undefined ? [] : [...parent.names, Buffer.from(name)];
  const position = 'abc'.indexOf(name);
  return new OpenDirectory({ names, parent, position, metadata: childNamed(name) }, scanned);
}

const text = (piece: Uint8Array | number) =>
  typeof piece === 'number' ? piece : /"name":"\w+"/.exec(Buffer.from(piece).toString())?.[0];

t.test('a tree is gathered as it is, what is just being written by what comes of it', async t => {
  const root = open('', undefined, ['a', 'b', 'c']);
  const half = open('a', root, ['deep']);
  const writing = open('c', root, []);
  const written = { objectId: 'k1', summary: totals.directorySummary(childNamed('c')) };
  root.finishChild(1, written);
  half.place([encodeText('{"name":"file"}')]);
  const { promise, resolve } = Promise.withResolvers<typeof written>();
  writing.writing = promise;
  const gathering = gatherPartialTree([root, half, writing], []);
  half.place([encodeText('{"name":"later"}')]);
  resolve(written);
  const { directories, transfer } = await gathering;
  const [first, second, last] = directories;
  t.match(first, { metadata: half.metadata, children: [] });
  t.strictSame('pieces' in first && first.pieces.map(text), ['"name":"file"'], 'of one moment');
  t.strictSame(second, { metadata: writing.metadata, written });
  t.strictSame('children' in last && last.children.map(text), [0, '"name":"b"', 1]);
  t.equal(transfer.length, 2);
});

t.test('what cannot be written is no part of a checkpoint', async t => {
  const root = open('', undefined, ['a']);
  const writing = open('a', root, []);
  writing.writing = Promise.reject(new Error('disk full'));
  await t.rejects(gatherPartialTree([root, writing], []), { message: 'disk full' });
});

t.test('one that turns out to be too large has nothing in it', async t => {
  const root = open('', undefined, ['a']);
  const crowd = open('a', root, []);
  crowd.writing = Promise.resolve(new EngineError('SOURCE_TOO_LARGE', 'it is'));
  const { directories } = await gatherPartialTree([root, crowd], []);
  t.match(directories[0], { children: [], pieces: [], files: [], totals: { entryCount: 0 } });
});
