import t from 'tap';
import type { Clock } from '#engine/base/clock.ts';
import { progressLine, progressLines, progressText, RateMeter } from '#engine/cli/progress.ts';

const MIB = 2 ** 20;
const state = { phase: 'upload', files: 1234, directories: 5, bytes: 50 * MIB };

t.test('the text has what is known and nothing else', async t => {
  t.equal(progressText(state, undefined), 'upload  1,234 files  50 MiB');
  t.equal(
    progressText({ ...state, bytesTotal: 200 * MIB, bytesUploaded: 9 * MIB }, 10 * MIB),
    'upload  25 %  1,234 files  50 MiB of 200 MiB  9 MiB new  10 MiB/s  15 s left',
  );
});

t.test('a line fits its columns and shows hostile names escaped', async t => {
  const line = progressLine({ ...state, currentPath: `/a/\u001b[31m/${'x'.repeat(200)}` }, 1, 79);
  t.equal(line.length, 79);
  t.notMatch(line, '\u001b');
  t.equal(progressLine(state, undefined, 10).length, 10);
});

t.test('the rate is that of the last seconds', async t => {
  const meter = new RateMeter();
  t.equal(meter.bytesPerSecond(0, 0), undefined);
  for (let ms = 0; ms <= 60_000; ms += 500) meter.add(ms, ms < 40_000 ? 0 : (ms - 40_000) * 1000);
  t.equal(meter.bytesPerSecond(60_000, 20_000_000), 1_000_000);
});

t.test('elsewhere than on a terminal a line comes every ten seconds', async t => {
  let nowMs = 0;
  const clock: Clock = {
    now: () => nowMs,
    nowNanoseconds: () => BigInt(nowMs) * 1_000_000n,
    monotonic: () => nowMs,
    sleep: async () => {},
  };
  const lines: string[] = [];
  const display = progressLines(text => lines.push(text), clock);
  for (; nowMs <= 25_000; nowMs += 100) display.update({ ...state, bytes: nowMs * 1024 });
  display.stop();
  t.equal(lines.length, 2);
  t.match(lines[0], /^upload {2}1,234 files {2}9\.77 MiB {2}1000 KiB\/s\n$/);
});
