// The kubelet's lines come from its configuration, and follow it.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { setImmediate as turn } from 'node:timers/promises';
import t from 'tap';
import { DEFAULT_EVICTION_LINES } from '#engine/cache/eviction-lines.ts';
import { KubeletLines, readKubeletLines } from '#engine/cache/kubelet-configuration.ts';
import { fastDirectory } from '#test/engine/storage/fast-directory.ts';
import { MIB, scratchCache } from './scratch-cache.ts';
import { SteppingClock } from './stepping-clock.ts';

const FORMS: Readonly<Record<string, string>> = {
  YAML: [
    'kind: KubeletConfiguration',
    'evictionHard:',
    '  memory.available: 100Mi',
    '  nodefs.available: "8%"',
    '  imagefs.available: 20Gi # images',
    'maxPods: 110',
    'nodefs.available: 99%',
    '',
  ].join('\n'),
  'YAML in one line': 'evictionHard: {nodefs.available: 8%, imagefs.available: 20Gi}\n',
  'YAML with an anchor': [
    'evictionSoft: &lines',
    '  nodefs.available: 8%',
    '  imagefs.available: 20Gi',
    'evictionHard: *lines',
  ].join('\n'),
  JSON: JSON.stringify({
    kind: 'KubeletConfiguration',
    evictionHard: { 'nodefs.available': '8%', 'imagefs.available': '20Gi' },
    maxPods: 1,
  }),
};

const LINES = [
  { signal: 'nodefs.available', threshold: { share: 0.08 } },
  { signal: 'imagefs.available', threshold: { amount: 20 * 2 ** 30 } },
  { signal: 'nodefs.inodesFree', threshold: { share: 0.05 } },
  { signal: 'imagefs.inodesFree', threshold: { share: 0.05 } },
];

function place(t: Parameters<typeof fastDirectory>[0]) {
  const directory = fastDirectory(t);
  const dropIns = `${directory}/kubelet.conf.d`;
  mkdirSync(dropIns);
  return { path: `${directory}/config.yaml`, dropIns };
}

for (const [form, text] of Object.entries(FORMS)) {
  t.test(`lines are read in ${form}`, async t => {
    const files = place(t);
    writeFileSync(files.path, text);
    t.same(await readKubeletLines(files), { lines: LINES, origin: files.path });
  });
}

t.test('drop-ins change single lines, in the order of their names', async t => {
  const files = place(t);
  writeFileSync(files.path, FORMS.YAML);
  writeFileSync(`${files.dropIns}/20.conf`, 'evictionHard: {nodefs.inodesFree: 3%}\n');
  writeFileSync(
    `${files.dropIns}/10.conf`,
    'evictionHard: {nodefs.inodesFree: 9%, nodefs.available: 7%}\n',
  );
  writeFileSync(`${files.dropIns}/30.yaml`, 'evictionHard: {nodefs.inodesFree: 50%}\n');
  const { lines, origin } = await readKubeletLines(files);
  t.same(lines[0], { signal: 'nodefs.available', threshold: { share: 0.07 } });
  t.same(lines[2], { signal: 'nodefs.inodesFree', threshold: { share: 0.03 } });
  const dropIn = (name: string): string => `${files.dropIns}/${name}`;
  t.equal(origin, [files.path, dropIn('10.conf'), dropIn('20.conf')].join(', '));
});

t.test('what cannot be read leaves the defaults, and is said', async t => {
  const rows: [string, string | undefined, RegExp][] = [
    ['nothing there', undefined, /ENOENT/],
    ['no YAML', 'evictionHard: {a: [\n', /cannot be read/],
    ['bytes', '\0\x01', /cannot be read/],
    ['a file that was made to be mounted', '', /cannot be read: it is empty/],
    ['a text', 'lines', /no configuration/],
    ['more than a configuration has', `a: ${'x'.repeat(MIB)}`, /larger than 1 MiB/],
    ['aliases without end', bomb(), /cannot be read/],
  ];
  for (const [title, text, origin] of rows) {
    const files = place(t);
    if (text !== undefined) writeFileSync(files.path, text);
    const found = await readKubeletLines(files);
    t.same(found.lines, DEFAULT_EVICTION_LINES, title);
    t.match(found.origin, origin, title);
  }
});

t.test('one that speaks of other things, or is not asked for, is no problem', async t => {
  const files = place(t);
  writeFileSync(files.path, 'maxPods: 110\n');
  const origin = 'defaults of the kubelet';
  t.same(await readKubeletLines(files), { lines: DEFAULT_EVICTION_LINES, origin });
  const { dropIns } = place(t);
  t.equal((await readKubeletLines({ dropIns })).lines.length, 4);
});

t.test('it is read again when it has changed, and only then', async t => {
  const files = place(t);
  const clock = new SteppingClock();
  const kubelet = new KubeletLines(clock);
  writeFileSync(files.path, FORMS.YAML);
  const first = await kubelet.look(files);
  t.same(first.lines, LINES);
  writeFileSync(files.path, 'evictionHard: {nodefs.available: 30%}\n');
  t.equal(await kubelet.look(files), first, 'not looked at all the time');
  clock.pass(10_000);
  const second = await kubelet.look(files);
  t.same(second.lines[0].threshold, { share: 0.3 });
  clock.pass(10_000);
  t.equal(await kubelet.look(files), second);
  rmSync(files.path);
  clock.pass(10_000);
  t.same((await kubelet.look(files)).lines, DEFAULT_EVICTION_LINES);
});

t.test('a cache on the disk of the node keeps clear of the lines that are there', async t => {
  const { path, dropIns } = place(t);
  const clock = new SteppingClock();
  writeFileSync(path, 'evictionHard: {nodefs.available: 30%, imagefs.available: 1Ki}\n');
  const GIB = 2 ** 30;
  const readDisk = async () => ({
    totalBytes: 100 * GIB,
    freeBytes: 40 * GIB,
    totalInodes: 0,
    freeInodes: 0,
  });
  const settings = {
    directory: mkdtempSync('/tmp/kubelet-'),
    kubeletConfiguration: path,
    kubeletDropIns: dropIns,
    absoluteBytes: undefined,
    share: 1,
    marginBytes: GIB,
    isRootDiskAllowed: true,
  };
  t.teardown(() => rmSync(settings.directory, { recursive: true }));
  const onDisk = await scratchCache(t, settings, { clock, readDisk });
  if (onDisk.cache.location?.kind === 'volume' || onDisk.cache.location?.kind === 'tmpfs') {
    t.comment('/tmp is a volume of its own here');
    return;
  }
  t.match(onDisk.cache.limit?.bytes, { amount: 9 * GIB, reason: 'nodefs.available' });
  t.match(onDisk.events, [{ kind: 'eviction lines', origin: path }]);
  writeFileSync(path, 'evictionHard: {nodefs.available: 35%, imagefs.available: 1Ki}\n');
  clock.pass(10_000);
  await onDisk.cache.look();
  for (let turns = 0; turns < 1000 && onDisk.cache.limit?.bytes.amount === 9 * GIB; turns++) {
    await turn();
    await onDisk.cache.look();
  }
  t.match(onDisk.cache.limit?.bytes, { amount: 4 * GIB, reason: 'nodefs.available' });
});

/** Ten levels of ten aliases each. */
function bomb(): string {
  const lines = ['a0: &a0 [x]'];
  for (let level = 1; level < 10; level++) {
    lines.push(
      `a${level}: &a${level} [${Array(10)
        .fill(`*a${level - 1}`)
        .join(', ')}]`,
    );
  }
  return lines.join('\n');
}
