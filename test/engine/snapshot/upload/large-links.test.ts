import t from 'tap';
import { LargeLinks } from '#engine/snapshot/upload/large-links.ts';
import type { PlacedFile } from '#engine/snapshot/upload/open-directory.ts';
import type { LargeFile } from '#engine/snapshot/upload/upload-tasks.ts';
import { largeFile } from './upload-run.ts';

const stored = { objectId: 'x1', bytes: 5_000_000 };
/** When the file was changed, to the nanosecond and in a file system that counts whole seconds. */
const FINE = { ctimeSeconds: 1000, ctimeNanoseconds: 500_000_000 };
const COARSE = { ctimeSeconds: 1000, ctimeNanoseconds: 0 };
const LONG_AFTER_MS = 2_000_000;

function placed(name: string, more: Partial<LargeFile> = {}): PlacedFile {
  const extras = { linkGroup: '7' };
  const file = { ...largeFile({ extras, ...FINE, ...more }), name: Buffer.from(name) };
  // Nothing but the file is looked at.
  return { file } as unknown as PlacedFile;
}

t.test('other names of a file that was left alone take its object', async t => {
  const links = new LargeLinks();
  const [first, second, third] = ['1', '2', '3'].map(name => placed(name));
  t.equal(links.claim(first), 'read');
  t.equal(links.claim(second), 'wait');
  t.strictSame(links.settle(first, stored, LONG_AFTER_MS), [second]);
  t.equal(links.claim(second), stored);
  t.equal(links.claim(third), stored);
});

t.test('those of one that could change once more unseen are read by themselves', async t => {
  const cases = [
    { times: FINE, sinceMs: 1_000_510, isYoung: true },
    { times: FINE, sinceMs: 1_000_521, isYoung: false },
    { times: COARSE, sinceMs: 1_001_900, isYoung: true },
    { times: COARSE, sinceMs: 1_002_001, isYoung: false },
  ];
  for (const { times, sinceMs, isYoung } of cases) {
    const links = new LargeLinks();
    const [first, second, third] = ['1', '2', '3'].map(name => placed(name, times));
    links.claim(first);
    links.claim(second);
    const title = `${JSON.stringify(times)} ${sinceMs}`;
    t.strictSame(links.settle(first, stored, sinceMs), [second], title);
    t.equal(links.claim(second), isYoung ? 'read' : stored, title);
    t.equal(links.claim(third), isYoung ? 'wait' : stored, 'and one reading does for the rest');
  }
});

t.test('what has another size or time is another file', async t => {
  const links = new LargeLinks();
  const first = placed('1');
  links.claim(first);
  links.settle(first, stored, LONG_AFTER_MS);
  const changes: Partial<LargeFile>[] = [
    { bytes: 5_000_001 },
    { mtimeSeconds: 101 },
    { mtimeNanoseconds: 1 },
    { ctimeSeconds: 1001 },
    { ctimeNanoseconds: 1 },
    { extras: { linkGroup: '8' } },
    { extras: undefined },
  ];
  for (const change of changes) {
    t.equal(links.claim(placed('2', change)), 'read', JSON.stringify(change));
  }
});

t.test('those that wait for one that is given up are read', async t => {
  const links = new LargeLinks();
  const [first, second] = ['1', '2'].map(name => placed(name));
  links.claim(first);
  links.claim(second);
  t.strictSame(links.giveUp(first), [second]);
  t.equal(links.claim(second), 'read');
});
