import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readlinkSync, symlinkSync, writeFileSync } from 'node:fs';
import t, { type Test } from 'tap';
import { LookAhead } from '#engine/snapshot/upload/look-ahead.ts';
import { hasName } from '#engine/snapshot/source/entry-rows.ts';

const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text));
const path = (text: string): Uint8Array[] => text.split('/').filter(Boolean).map(bytes);

function makeTree(t: Test): string {
  const root = t.testdir({ leaf: { a: '1', b: '22' }, inner: { leaf: { c: '' } }, empty: {} });
  symlinkSync('a', `${root}/leaf/link`);
  return root;
}

async function seen(root: string, stops = false): Promise<LookAhead> {
  const ahead = new LookAhead({ root: bytes(root), isNativeAllowed: true });
  const running = ahead.run();
  if (stops) ahead.stop();
  await running;
  return ahead;
}

t.test('directories without children are seen, once each', async t => {
  const ahead = await seen(makeTree(t));
  const leaf = ahead.take(path('leaf'));
  t.match(leaf?.totals, { entryCount: 3, cachedCount: 3, cachedBytes: 4, summary: { files: 2 } });
  t.ok(leaf && hasName(leaf.rows, [bytes('no'), bytes('link')]));
  t.notOk(leaf && hasName(leaf.rows, [bytes('lin'), bytes('links'), bytes('')]));
  t.equal(ahead.take(path('leaf')), undefined, 'somebody else has it');
  t.match(ahead.take(path('inner/leaf'))?.totals, { entryCount: 1 });
  t.match(ahead.take(path('empty'))?.totals, { entryCount: 0 });
  t.equal(ahead.take(path('inner')), undefined);
  t.equal(ahead.take(path('')), undefined);
});

t.test('what a backup would have to store in another way is left to it', async t => {
  const root = makeTree(t);
  t.equal(spawnSync('mkfifo', [`${root}/leaf/fifo`]).status, 0);
  mkdirSync(`${root}/many`);
  for (let file = 0; file < 4097; file++) writeFileSync(`${root}/many/${file}`, '');
  const ahead = await seen(root);
  t.equal(ahead.take(path('leaf')), undefined, 'a pipe is in it');
  t.equal(ahead.take(path('many')), undefined, 'there are too many');
  t.ok(ahead.take(path('empty')));
});

t.test('it is of the directory that it was asked for, since it began', async t => {
  const root = makeTree(t);
  const ahead = await seen(root);
  t.ok(ahead.isOf(bytes(root), ahead.sinceMs));
  t.ok(ahead.isOf(bytes(root), ahead.sinceMs - 1000));
  t.notOk(ahead.isOf(bytes(root), ahead.sinceMs + 1));
  t.notOk(ahead.isOf(bytes(root), undefined));
  t.notOk(ahead.isOf(bytes(`${root}/leaf`), ahead.sinceMs));
});

t.test('it ends when it is told, and never fails', async t => {
  const root = makeTree(t);
  t.equal((await seen(root, true)).take(path('leaf')), undefined);
  for (const other of ['nowhere', 'leaf/a', 'leaf/link', 'loop']) {
    if (other === 'loop') symlinkSync('loop', `${root}/loop`);
    t.equal((await seen(`${root}/${other}`)).take([]), undefined, other);
  }
});

t.test('what is open is closed when it is given up', async t => {
  const root = makeTree(t);
  const isOpen = (): boolean =>
    readdirSync('/proc/self/fd').some(fd => linkOf(`/proc/self/fd/${fd}`).startsWith(root));
  const ahead = new LookAhead({ root: bytes(root), isNativeAllowed: true });
  const running = ahead.run();
  t.ok(isOpen(), 'it has begun');
  ahead.forget();
  t.notOk(isOpen());
  await running;
  t.equal(ahead.take(path('empty')), undefined);
});

function linkOf(place: string): string {
  try {
    return readlinkSync(place);
  } catch {
    return '';
  }
}

t.test('nothing is looked at in a tree in which something is mounted', async t => {
  const ahead = await seen('/');
  for (const name of ['bin', 'etc', 'tmp', 'root', 'opt', 'home', 'mnt', 'srv', 'media']) {
    t.equal(ahead.take(path(name)), undefined, name);
  }
});
