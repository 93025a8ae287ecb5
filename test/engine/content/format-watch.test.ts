import t, { type Test } from 'tap';
import { FormatWatch } from '#engine/content/format-watch.ts';
import { derivePasswordKey } from '#engine/format/repository-key.ts';
import { wrap } from '#engine/storage/wrap.ts';
import { putBlobConfig, putChanged, upgradeLock } from '#test/support/changed-format.ts';
import { type ContentScene, contentScene, idsOf, TestClock, write } from './content-scene.ts';

const QUARTER_MS = 15 * 60_000;
const DAY_NS = 86_400_000_000_000n;

/** A repository that is open. */
async function scene(t: Test) {
  const clock = new TestClock();
  const made = await contentScene(t, clock);
  const contents = await made.open({ clock });
  const { memory, format } = made;
  return { clock, memory, format, contents, watch: contents.formatWatch };
}

t.test('a retention that is set applies to what an open repository writes', async t => {
  const { clock, memory, format, contents } = await scene(t);
  const retention = { mode: 'GOVERNANCE', periodNs: DAY_NS } as const;
  const storeNew = async (text: string): Promise<string[]> => {
    const before = new Set(await idsOf(memory, ''));
    await contents.writing.keepUp();
    await write(contents, text);
    await contents.writing.flush();
    return (await idsOf(memory, '')).filter(id => !before.has(id));
  };
  await putBlobConfig(memory, format.passwordKey, { retention });
  for (const id of await storeNew('before')) t.equal(memory.retentionOf(id), undefined, id);
  clock.advance(QUARTER_MS);
  const stored = await storeNew('after');
  t.equal(stored.length, 2, 'a pack and an index');
  const untilMs = clock.now() + 86_400_000;
  for (const id of stored) t.same(memory.retentionOf(id), { mode: 'GOVERNANCE', untilMs }, id);
  t.notOk(contents.formatWatch.isOutdated);
});

t.test('a lock ends work as soon as it holds, for as long as it holds', async t => {
  const { clock, memory, format, contents, watch } = await scene(t);
  const beginNs = clock.nowNanoseconds() + 50n * 60_000_000_000n;
  await putChanged(memory, format, { upgradeLock: upgradeLock(beginNs) });
  clock.advance(QUARTER_MS);
  await contents.writing.keepUp();
  clock.advance(QUARTER_MS);
  const locked = { code: 'REPOSITORY_UPGRADE_IN_PROGRESS', message: /admin@desk/ };
  await t.rejects(contents.writing.keepUp(), locked);
  await t.rejects(watch.look(), locked);
  await putChanged(memory, format, {});
  await contents.writing.keepUp();
  t.notOk(watch.isOutdated);
});

type Made = Pick<ContentScene, 'memory' | 'format'>;

/** Deriving it takes a while. */
const newKey = contentScene(t).then(({ format: { blob } }) =>
  derivePasswordKey(blob.keyDerivation, 'new', blob.uniqueId),
);

const CHANGES: Readonly<Record<string, (made: Made) => Promise<void>>> = {
  'another size of packs': ({ memory, format }) =>
    putChanged(memory, format, { maxPackBytes: 30 * 2 ** 20 }),
  'another password': async ({ memory, format }) => putChanged(memory, format, {}, await newKey),
  'half of a change of password': async ({ memory }) => putBlobConfig(memory, await newKey, {}),
  'the loss of it': ({ memory }) => memory.delete('kopia.repository'),
  'damage to it': ({ memory }) => memory.put('kopia.repository', [new Uint8Array(9)]),
};

for (const [name, change] of Object.entries(CHANGES)) {
  t.test(`${name} takes opening anew, and leaves what is under way alone`, async t => {
    const { clock, memory, format, contents, watch } = await scene(t);
    await change({ memory, format });
    await watch.look();
    t.notOk(watch.isOutdated, 'it is not looked at yet');
    clock.advance(QUARTER_MS);
    await contents.writing.keepUp();
    t.ok(watch.isOutdated);
  });
}

t.test('looks at the same time read once, and one that is given up ends no other', async t => {
  const { clock, memory, format } = await scene(t);
  const reads: string[] = [];
  const counting = wrap(memory, {
    get: (id, options) => (reads.push(id), memory.get(id, options)),
  });
  const watch = new FormatWatch(counting, clock, format);
  clock.advance(QUARTER_MS);
  const abort = new AbortController();
  const looks = [watch.look(abort.signal), watch.look(), watch.look()];
  abort.abort();
  const [givenUp, ...others] = await Promise.allSettled(looks);
  t.match(givenUp, { status: 'rejected', reason: { code: 'ABORTED' } });
  for (const { status } of others) t.equal(status, 'fulfilled');
  t.same(reads, ['kopia.repository', 'kopia.blobcfg']);
});
