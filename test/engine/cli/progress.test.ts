import t from 'tap';
import type { Clock } from '#engine/base/clock.ts';
import {
  progressLine,
  progressLines,
  ProgressMeter,
  progressText,
  withTotals,
} from '#engine/cli/progress.ts';

const MIB = 2 ** 20;
const state = { phase: 'upload', files: 1234, directories: 5, bytes: 50 * MIB };

t.test('the text has what is known and nothing else', async t => {
  t.equal(progressText(state, {}), 'upload  1,234 files  50 MiB');
  t.equal(
    progressText(
      { ...state, bytesTotal: 200 * MIB, bytesUploaded: 9 * MIB },
      { bytesPerSecond: 10 * MIB, fraction: 0.25, leftMs: 15_000 },
    ),
    'upload  25 %  1,234 files  50 MiB of 200 MiB  9 MiB new  10 MiB/s  15 s left',
  );
});

t.test('a line fits its columns and shows hostile names escaped', async t => {
  const line = progressLine({ ...state, currentPath: `/a/\u001b[31m/${'x'.repeat(200)}` }, {}, 79);
  t.equal(line.length, 79);
  t.notMatch(line, '\u001b');
  t.equal(progressLine(state, {}, 10).length, 10);
});

t.test('the rate is that of the last seconds, and the rest follows from it', async t => {
  const meter = new ProgressMeter();
  const at = (ms: number) => {
    const bytes = ms < 40_000 ? 0 : (ms - 40_000) * 1000;
    return meter.read({ ...state, bytes, bytesTotal: 30_000_000 }, ms);
  };
  t.strictSame(at(0), { bytesPerSecond: undefined, leftMs: undefined, fraction: 0 });
  for (let ms = 500; ms < 60_000; ms += 500) at(ms);
  t.match(at(60_000), { bytesPerSecond: 1_000_000, leftMs: 10_000, fraction: 2 / 3 });
});

t.test(
  'files stand in where the total of bytes is not known, and an estimate may be low',
  async t => {
    const meter = new ProgressMeter();
    t.match(meter.read({ ...state, files: 5, filesTotal: 10 }, 0), { fraction: 0.5 });
    t.match(meter.read({ ...state, files: 15, filesTotal: 10 }, 1000), { fraction: 1, leftMs: 0 });
    let seen: unknown;
    withTotals(
      next => (seen = next),
      () => ({ filesTotal: 7 }),
    )({ ...state, files: 3 });
    t.match(seen, { files: 3, filesTotal: 7 });
  },
);

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
