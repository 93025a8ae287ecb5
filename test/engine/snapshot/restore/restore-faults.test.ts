import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { EngineError } from '#engine/base/errors.ts';
import { isRoot, sceneOf, small } from './restore-scene.ts';

t.test('a damaged content costs the files that need it and fails the restore', async t => {
  const { contents, target, run } = sceneOf(t, {
    directory: [
      ['bad', small('lost')],
      ['alsoBad', small('lost')],
      ['good', small('kept')],
      ['part', { file: Buffer.from('aaaabbbbcccc'), chunkBytes: 4 }],
      ['more', { directory: [['good', small('kept too')]] }],
    ],
  });
  contents.spoil(contents.add('lost'), 'CONTENT_DAMAGED');
  contents.spoil(contents.add('bbbb'), 'PACK_MISSING');
  const error = await run().then(
    () => t.fail('the restore succeeded'),
    (error: unknown) => error,
  );
  if (!(error instanceof EngineError)) throw error;
  t.match(error.code, /CONTENT_DAMAGED|PACK_MISSING/);
  const differences = error.details.differences as { path: string; found: string }[];
  t.same(new Set(differences.map(({ path }) => path)), new Set(['bad', 'alsoBad', 'part']));
  t.equal(fs.readFileSync(join(target, 'good'), 'utf8'), 'kept');
  t.equal(fs.readFileSync(join(target, 'more/good'), 'utf8'), 'kept too');
  t.notOk(fs.existsSync(join(target, 'bad')));
  t.equal(fs.readFileSync(join(target, 'part'), 'utf8'), 'aaaa\0\0\0\0cccc', 'a hole where it is');
});

t.test('a damaged directory or link costs what is below it and fails the restore', async t => {
  const { contents, target, run } = sceneOf(t, {
    directory: [
      ['bad', { directory: [['lost', small('lost')]] }],
      ['fine', { directory: [['kept', small('kept')]] }],
      ['twice', { objectId: 'k00', type: 'd' }],
      ['link', { link: 'gone' }],
      ['badList', { objectId: 'Ix00', type: 'f' }],
    ],
  });
  const bad = [...contents.entries('k')].map(entry => entry.contentId);
  for (const contentId of bad) {
    const text = Buffer.from(await contents.read(contentId)).toString();
    if (text.includes('"lost"') && !text.includes('"fine"')) {
      contents.spoil(contentId, 'CONTENT_DAMAGED');
    }
  }
  contents.spoil(contents.add('gone'), 'CONTENT_NOT_FOUND');
  await t.rejects(run(), { code: /^CONTENT_/, message: /and 3 others/ });
  t.equal(fs.readFileSync(join(target, 'fine/kept'), 'utf8'), 'kept');
  t.same(fs.readdirSync(target).sort(), ['bad', 'fine', 'twice']);
});

t.test('damage of what is not wanted does not matter, and of what may be wanted does', async t => {
  const bad = { objectId: 'k00', type: 'd' };
  const { target, run } = sceneOf(t, {
    directory: [
      ['bad', bad],
      ['odd', { objectId: '00', type: 'q' }],
      ['fine', { directory: [['kept', small('kept')]] }],
    ],
  });
  const selections = [
    { exclude: ['bad', 'odd'] },
    { include: ['/fine/*'] },
    { include: ['/fine'] },
  ];
  for (const selection of selections) {
    const outcome = await run({ ...selection, overwrite: 'always' });
    t.same(outcome.differences, [], JSON.stringify(selection));
    t.same(fs.readdirSync(target), ['fine']);
  }
  for (const include of [['kept'], ['/bad/x'], ['/*/x'], ['/b{ad,e}/x'], ['/fine/kept', 'bad']]) {
    const failing = run({ include, overwrite: 'always' });
    await t.rejects(failing, { code: 'CONTENT_NOT_FOUND', message: /"bad"/ }, include.join());
  }
});

t.test('a file whose length is not what its entry says is named and fails the restore', async t => {
  const { target, run } = sceneOf(t, { directory: [['file', { file: 'four', size: 5 }]] });
  await t.rejects(run(), { code: 'OBJECT_DAMAGED', message: /4 bytes .* instead of 5/ });
  t.equal(fs.readFileSync(join(target, 'file'), 'utf8'), 'four');
});

t.test('entries of a type that nobody knows are named', async t => {
  const { run } = sceneOf(t, { directory: [['odd', { objectId: '00', type: 'q' }]] });
  const { differences } = await run();
  t.match(differences, [{ path: 'odd', attribute: 'type', found: 'nothing' }]);
});

t.test('a link without a target is named, and nothing gives way to it', async t => {
  const tree = {
    directory: [
      ['empty', { link: '' }],
      ['link', { link: 'there' }],
    ],
  } as const;
  const { target, run } = sceneOf(t, tree, { target: { empty: 'mine' } });
  const { status, differences } = await run({ overwrite: 'always', verify: true });
  t.equal(status, 'CompletedWithDifferences');
  t.match(differences, [{ path: 'empty', attribute: 'entry', found: /target .* is empty/ }]);
  t.equal(differences.length, 1);
  t.equal(fs.readFileSync(join(target, 'empty'), 'utf8'), 'mine');
  t.equal(fs.readlinkSync(join(target, 'link')), 'there');
});

t.test('an abort ends the restore and says which files are incomplete', async t => {
  const { contents, target, run } = sceneOf(t, {
    directory: [['large', { file: Buffer.alloc(500_000, 'abcdefg'), chunkBytes: 1000 }]],
  });
  const abort = new AbortController();
  contents.onRead = () => {
    if (contents.reads.length === 5) abort.abort();
  };
  const error = await run({}, { signal: abort.signal }).catch((error: unknown) => error);
  t.match(error, { code: 'ABORTED', details: { partial: ['large'] } });
  const before = fs.statSync(join(target, 'large'), { bigint: true });
  await new Promise(setImmediate);
  t.equal(fs.statSync(join(target, 'large'), { bigint: true }).mtimeNs, before.mtimeNs);
  t.same(fs.readdirSync(target), ['large'], 'there are no temporary files');
  await t.rejects(run({}, { signal: abort.signal }), { code: 'ABORTED' });
});

t.test('a failure of the storage ends the restore at once', async t => {
  const { contents, run } = sceneOf(t, {
    directory: [
      ['a', small('a')],
      ['b', small('b')],
    ],
  });
  contents.spoil(contents.add('a'), 'STORAGE_UNAVAILABLE');
  await t.rejects(run(), { code: 'STORAGE_UNAVAILABLE', retryable: true });
});

t.test('a full target ends the restore, names what is incomplete and leaves no more', async t => {
  const { directory, target, run } = sceneOf(t, {
    directory: [
      ['a', { file: 'fits' }],
      ['b', { file: randomBytes(3 << 20), chunkBytes: 300_000 }],
    ],
  });
  const options = ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs'];
  fs.mkdirSync(target);
  if (!isRoot || spawnSync('mount', [...options, target]).status !== 0) {
    t.comment('skipped: mounting a small file system takes root');
    return;
  }
  try {
    const error = await run().catch((error: unknown) => error);
    t.match(error, { code: 'TARGET_FULL', message: /make room/, details: { partial: ['b'] } });
    t.ok(fs.readdirSync(target).every(name => ['a', 'b'].includes(name)));
    t.same(fs.readdirSync(directory), ['target']);
  } finally {
    spawnSync('umount', [target]);
  }
});
