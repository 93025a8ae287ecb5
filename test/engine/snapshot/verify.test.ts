import t from 'tap';
import { SeenObjects } from '#engine/snapshot/seen-objects.ts';
import { verify } from '#engine/snapshot/verify.ts';
import { MemoryContents } from '#test/support/memory-contents.ts';
import { manifestsOver, putSnapshot, storeTree, type Node } from '#test/support/stored-tree.ts';

function scene() {
  const contents = new MemoryContents();
  const manifests = manifestsOver(contents);
  return { contents, manifests, store: { contents, manifests } };
}

const sub: Node = { directory: [['inner', { file: 'inner' }]] };
const TREE: Node = {
  directory: [
    ['sub', sub],
    ['again', sub],
    ['big', { file: Buffer.alloc(10_000, 'abcdefg'), chunkBytes: 1000 }],
    ['link', { link: 'big' }],
    ['empty', { file: '' }],
  ],
};

t.test('a sound snapshot has no problems and is read as far as asked', async t => {
  const { contents, manifests, store } = scene();
  putSnapshot(manifests, storeTree(contents, TREE));
  const outcome = await verify(store, { readPercent: 100 });
  t.same(outcome.problems, []);
  t.match(outcome, { snapshots: 1, directories: 2, files: 3, problemCount: 0 });
  const stored = [...contents.entries('')].filter(({ contentId }) => contentId.length === 32);
  t.equal(
    outcome.bytesRead,
    stored.reduce((sum, { originalBytes }) => sum + originalBytes, 0),
  );
  t.equal((await verify(store, { readPercent: 0 })).bytesRead, 0);
});

t.test('what snapshots share is visited once', async t => {
  const { contents, manifests, store } = scene();
  const root = storeTree(contents, TREE);
  for (let i = 0; i < 5; i++) putSnapshot(manifests, root, { incomplete: i > 2 ? 'canceled' : '' });
  const outcome = await verify(store, { readPercent: 100 });
  t.match(outcome, { snapshots: 5, directories: 2, files: 3, problemCount: 0 });
  t.equal(contents.reads.filter(id => id.startsWith('k')).length, 2);
});

t.test(
  'the same share of files is read each time, and more of them with a greater share',
  async t => {
    const { contents, manifests, store } = scene();
    const files = Array.from({ length: 400 }, (_, i): [string, Node] => [`${i}`, { file: `${i}` }]);
    putSnapshot(manifests, storeTree(contents, { directory: files }));
    const readBy = async (readPercent: number) => {
      contents.reads.length = 0;
      await verify(store, { readPercent });
      return new Set(contents.reads);
    };
    const [third, again, half] = [await readBy(33), await readBy(33), await readBy(50)];
    t.same(third, again);
    t.ok(third.isSubsetOf(half));
    t.ok(third.size > 90 && third.size < 180, `${third.size} of 400`);
  },
);

t.test('every kind of damage is named and does not hide the others', async t => {
  const { contents, manifests, store } = scene();
  const root = storeTree(contents, {
    directory: [
      ['lostDirectory', { directory: [['x', { file: 'x' }]] }],
      ['badDirectory', { objectId: contents.add('{}', 'k'), type: 'd' }],
      ['lostFile', { file: 'lost file' }],
      ['badFile', { file: 'bad file' }],
      ['lostChunk', { file: 'aaaabbbbcccc', chunkBytes: 4 }],
      ['wrongSize', { file: 'abc', size: 9 }],
      ['lostLink', { link: 'lost link' }],
      ['fine', { file: 'fine' }],
    ],
  });
  const directory = storeTree(contents, { directory: [['x', { file: 'x' }]] });
  contents.spoil(directory.objectId, 'CONTENT_DAMAGED');
  for (const text of ['lost file', 'bbbb', 'lost link']) {
    contents.spoil(contents.add(text), 'CONTENT_NOT_FOUND');
  }
  contents.spoil(contents.add('bad file'), 'CONTENT_DAMAGED');
  const id = putSnapshot(manifests, root);
  manifests.put({ type: 'snapshot' }, '{"source":1}');
  const { problems, problemCount } = await verify(store, { readPercent: 100 });
  const found = problems.map(({ path, code }) => `${path} ${code}`);
  t.same(
    new Set(found),
    new Set([
      'lostDirectory CONTENT_DAMAGED',
      'badDirectory DIRECTORY_DAMAGED',
      'lostFile CONTENT_NOT_FOUND',
      'badFile CONTENT_DAMAGED',
      'lostChunk CONTENT_NOT_FOUND',
      'wrongSize OBJECT_DAMAGED',
      'lostLink CONTENT_NOT_FOUND',
      ' SNAPSHOT_DAMAGED',
    ]),
  );
  t.equal(problemCount, problems.length);
  t.ok(problems.some(problem => problem.snapshotId === id));
  const unread = await verify(store, { snapshots: [id], readPercent: 0 });
  t.notOk(
    unread.problems.some(({ path }) => path === 'badFile'),
    'that takes reading',
  );
});

t.test('a chunk list that disagrees with the index is found without reading', async t => {
  const { contents, manifests, store } = scene();
  const chunk = contents.add('abcd');
  const list = {
    stream: 'kopia:indirect',
    entries: [
      { l: 4, o: chunk },
      { s: 4, l: 5, o: chunk },
    ],
  };
  const objectId = `I${contents.add(JSON.stringify(list), 'x')}`;
  const file: Node = { objectId, type: 'f', size: 9 };
  putSnapshot(manifests, storeTree(contents, { directory: [['file', file]] }));
  const { problems } = await verify(store, { readPercent: 0 });
  t.match(problems, [{ path: 'file', code: 'OBJECT_DAMAGED', contentId: chunk }]);
  t.equal(problems.length, 1);
});

t.test('of many problems a thousand are listed and all are counted', async t => {
  const { contents, manifests, store } = scene();
  const files = Array.from({ length: 1500 }, (_, i): [string, Node] => {
    return [`${i}`, { file: `${i}`, size: 10_000 + i }];
  });
  putSnapshot(manifests, storeTree(contents, { directory: files }));
  const { problems, problemCount } = await verify(store, { readPercent: 0 });
  t.same([problems.length, problemCount], [1000, 1500]);
});

t.test('a storage that fails, an abort and wrong requests end a verification', async t => {
  const { contents, manifests, store } = scene();
  putSnapshot(manifests, storeTree(contents, TREE));
  const signal = AbortSignal.abort();
  await t.rejects(verify(store, { readPercent: 0 }, { signal }), { code: 'ABORTED' });
  for (const readPercent of [-1, 101, NaN]) {
    await t.rejects(verify(store, { readPercent }), { code: 'USAGE' });
  }
  const unknown = { snapshots: ['nothing'], readPercent: 0 };
  await t.rejects(verify(store, unknown), { code: 'SNAPSHOT_NOT_FOUND' });
  contents.spoil(contents.add('inner'), 'STORAGE_ACCESS_DENIED');
  await t.rejects(verify(store, { readPercent: 100 }), { code: 'STORAGE_ACCESS_DENIED' });
});

t.test('a snapshot that is forgotten meanwhile takes away nothing that was found', async t => {
  const { contents, manifests, store } = scene();
  const directory: Node = { directory: [['lost', { file: 'lost' }]] };
  const ids = [storeTree(contents, directory), storeTree(contents, TREE)].map((root, i) => {
    return putSnapshot(manifests, root, { startTimeNs: BigInt(i) });
  });
  contents.spoil(contents.add('lost'), 'CONTENT_NOT_FOUND');
  const forgets = () => void manifests.drop({ id: ids[1], modifiedNs: 0n });
  const outcome = await verify(store, { readPercent: 0 }, { onProgress: forgets });
  t.match(outcome, { snapshots: 2, directories: 3 });
  t.match(outcome.problems, [{ snapshotId: ids[0], path: 'lost', code: 'CONTENT_NOT_FOUND' }]);
});

t.test('manifests are looked through once, however many snapshots there are', async t => {
  const { contents, manifests } = scene();
  const root = storeTree(contents, TREE);
  const ids = Array.from({ length: 20 }, () => putSnapshot(manifests, root));
  let findCount = 0;
  const find: typeof manifests.find = (...call) => {
    findCount++;
    return manifests.find(...call);
  };
  const counting = { find, get: manifests.get.bind(manifests) };
  const store = { contents, manifests: counting };
  t.match(await verify(store, { readPercent: 0 }), { snapshots: 20, problemCount: 0 });
  t.equal(findCount, 1);
  const named = { snapshots: [...ids.slice(0, 9), 'latest'], readPercent: 0 };
  t.match(await verify(store, named), { snapshots: 10, problemCount: 0 });
  t.equal(findCount, 2);
});

t.test('progress is told', async t => {
  const { contents, manifests, store } = scene();
  putSnapshot(manifests, storeTree(contents, TREE));
  const seen: string[] = [];
  const onProgress = ({ currentPath }: { currentPath: string }) => void seen.push(currentPath);
  await verify(store, { readPercent: 0 }, { onProgress });
  t.ok(seen.includes('sub') || seen.includes('again'));
});

t.test('what has been seen is remembered within a bound', t => {
  const seen = new SeenObjects(2);
  t.same(
    ['a', 'a', 'b', 'c', 'b', 'a'].map(key => seen.add(key)),
    [true, false, true, true, false, true],
  );
  t.end();
});
