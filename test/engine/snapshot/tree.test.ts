import t from 'tap';
import { findStoredPath, listTree, readFile } from '#engine/snapshot/stored-path.ts';
import { encodeDirectory, encodeEntry } from '#engine/format/directory.ts';
import { lookUpPath, walkTree, type TreeEntry } from '#engine/snapshot/tree.ts';
import { MemoryContents } from '#test/support/memory-contents.ts';
import { manifestsOver, putSnapshot, storeTree, type Node } from '#test/support/stored-tree.ts';

const SAMPLE: Node = {
  directory: [
    ['dir', { mode: 0o1700, directory: [['inner', { file: 'inside' }]], mtimeSeconds: 5 }],
    ['file', { file: 'abc', mode: 0o4755, mtimeSeconds: -1, mtimeNanoseconds: 1 }],
    ['link', { link: 'dir/inner' }],
    ['..', { directory: [['odd/name', { file: 'odd' }]] }],
  ],
};

async function collect<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const collected: Item[] = [];
  for await (const item of items) collected.push(item);
  return collected;
}

const paths = (entries: TreeEntry[]) => entries.map(({ path }) => path);

t.test('a walk gives every entry, each directory before what it holds', async t => {
  const contents = new MemoryContents();
  const entries = await collect(walkTree(contents, storeTree(contents, SAMPLE)));
  t.same(paths(entries), ['..', '../odd/name', 'dir', 'dir/inner', 'file', 'link']);
  const [, , dir, , file, link] = entries;
  t.match(dir, { type: 'directory', mode: 0o1700, size: 6, mtime: 5_123_456_789n });
  t.match(file, { type: 'file', mode: 0o4755, size: 3, mtime: -999_999_999n });
  t.match(link, { type: 'symlink', linkTarget: 'dir/inner', size: 9 });
});

t.test('a walk can stay in one directory', async t => {
  const contents = new MemoryContents();
  const root = storeTree(contents, SAMPLE);
  const entries = await collect(walkTree(contents, root, { isRecursive: false }));
  t.same(paths(entries), ['..', 'dir', 'file', 'link']);
  t.equal(contents.reads.filter(id => id.startsWith('k')).length, 1);
});

t.test('a root that is a file is the only entry', async t => {
  const contents = new MemoryContents();
  const entries = await collect(walkTree(contents, storeTree(contents, { file: 'abc' })));
  t.match(entries, [{ path: '', type: 'file', size: 3 }]);
});

t.test('directories that lie together are fetched together and once', async t => {
  const contents = new MemoryContents();
  const root = storeTree(contents, {
    directory: Array.from({ length: 1000 }, (_, i): [string, Node] => {
      const inner: Node = { directory: [[`i${i}`, { directory: [] }]] };
      return [`d${i}`, { directory: [['x', inner]] }];
    }),
  });
  let batches = 0;
  const readMany = contents.readMany.bind(contents);
  contents.readMany = (...args) => {
    batches++;
    return readMany(...args);
  };
  t.equal((await collect(walkTree(contents, root))).length, 3000);
  t.equal(batches, 4, 'the thousand of the first level come in four pieces');
});

t.test('a name that occurs twice is refused', async t => {
  const contents = new MemoryContents();
  const root = storeTree(contents, {
    directory: [
      ['same', { file: '1' }],
      ['same', { file: '2' }],
    ],
  });
  await t.rejects(collect(walkTree(contents, root)), { code: 'DIRECTORY_DAMAGED' });
});

t.test('what is no directory is refused, and one content does not spoil its siblings', async t => {
  const contents = new MemoryContents();
  const bad = contents.add('{"stream":"kopia:indirect","entries":[]}', 'k');
  const gone = contents.add('gone', 'k');
  contents.spoil(gone, 'CONTENT_DAMAGED');
  const good: Node = { directory: [['a', { file: 'a' }]] };
  for (const [objectId, code] of [
    [bad, 'DIRECTORY_DAMAGED'],
    [gone, 'CONTENT_DAMAGED'],
  ]) {
    const root = storeTree(contents, {
      directory: [
        ['1', good],
        ['2', { objectId, type: 'd' }],
        ['3', good],
      ],
    });
    const seen: TreeEntry[] = [];
    const walking = (async () => {
      for await (const entry of walkTree(contents, root)) seen.push(entry);
    })();
    await t.rejects(walking, { code });
    t.same(paths(seen), ['1', '1/a', '2']);
  }
});

t.test('a tree without end is given up', async t => {
  const contents = new MemoryContents();
  let objectId = storeTree(contents, { directory: [] }).objectId;
  for (let i = 0; i < 4200; i++) {
    objectId = storeTree(contents, { directory: [['d', { objectId, type: 'd' }]] }).objectId;
  }
  const root = storeTree(contents, { objectId, type: 'd' });
  await t.rejects(collect(walkTree(contents, root)), { code: 'LIMIT_EXCEEDED' });
});

t.test('an abort ends a walk', async t => {
  const contents = new MemoryContents();
  const root = storeTree(contents, SAMPLE);
  const abort = new AbortController();
  const walking = (async () => {
    for await (const { path } of walkTree(contents, root, { signal: abort.signal })) {
      t.equal(path, '..');
      abort.abort();
    }
  })();
  await t.rejects(walking, { code: 'ABORTED' });
});

t.test('paths are looked up name by name', async t => {
  const contents = new MemoryContents();
  const root = storeTree(contents, SAMPLE);
  for (const path of ['', '/', '//']) t.equal(await lookUpPath(contents, root, path), root);
  for (const path of ['dir/inner', '/dir//inner/']) {
    t.equal((await lookUpPath(contents, root, path)).name, 'inner');
  }
  t.equal((await lookUpPath(contents, root, '..')).name, '..', 'a name like any other');
  for (const path of ['none', 'dir/none', 'file/x', 'link/x', '.']) {
    await t.rejects(lookUpPath(contents, root, path), { code: 'SNAPSHOT_PATH_NOT_FOUND' }, path);
  }
});

t.test('a name that is a path itself can be named', async t => {
  const contents = new MemoryContents();
  const device: Node = { directory: [['/dev/sda', { file: 'blocks' }]] };
  const root = storeTree(contents, { directory: [['in', device]] });
  for (const path of ['in/dev/sda', '/in//dev/sda']) {
    t.equal((await lookUpPath(contents, root, path)).name, '/dev/sda');
  }
});

t.test('stored paths are listed and read', async t => {
  const contents = new MemoryContents();
  const manifests = manifestsOver(contents);
  const store = { contents, manifests };
  const big = Buffer.alloc(10_000, 'xyz');
  const root: Node = {
    directory: [
      ['sub', SAMPLE],
      ['big', { file: big, chunkBytes: 999 }],
      ['wrong', { file: 'abc', size: 4 }],
    ],
  };
  const id = putSnapshot(manifests, storeTree(contents, root));
  t.same(paths(await collect(listTree(store, id))), ['sub', 'big', 'wrong']);
  const below = await collect(listTree(store, `${id}:/sub/dir`, { isRecursive: true }));
  t.same(paths(below), ['inner']);
  t.equal((await findStoredPath(store, 'latest:sub')).snapshot.id, id);
  const read = async (path: string, options = {}) => {
    return Buffer.concat(await collect(readFile(store, `${id}:${path}`, options)));
  };
  t.ok(big.equals(await read('/big')));
  t.ok(big.subarray(5000, 7000).equals(await read('big', { offset: 5000, length: 2000 })));
  t.equal((await read('sub/file')).toString(), 'abc');
  await t.rejects(read('sub'), { code: 'SNAPSHOT_PATH_NOT_FOUND', message: /is a directory/ });
  await t.rejects(read('sub/link'), { code: 'SNAPSHOT_PATH_NOT_FOUND', message: /is a symlink/ });
  await t.rejects(read('wrong'), { code: 'OBJECT_DAMAGED', message: /3 bytes .* instead of 4/ });
});

t.test('an entry is found beside one whose extra fields are damaged', async t => {
  const contents = new MemoryContents();
  const [odd, fine] = ['odd', 'fine'].map(name => storeTree(contents, { file: name }, name));
  const texts = [encodeEntry({ ...odd, extra: { stevedore: { name: 5 } } }), encodeEntry(fine)];
  const folder = storeTree(contents, { directory: [] });
  if (folder.summary === undefined) throw new Error('a directory has a summary');
  const objectId = contents.add(encodeDirectory(texts, folder.summary), 'k');
  const root = { ...folder, objectId };
  t.equal((await lookUpPath(contents, root, 'fine')).name, 'fine');
  t.equal((await lookUpPath(contents, root, 'odd')).name, 'odd');
});
