import t from 'tap';
import { MoveRun } from '#agent/moves/move-run.ts';
import type { MoveProgress } from '#agent/moves/volume-mover.ts';
import { ManualClock } from '#test/kube/manual-clock.ts';

/** In seconds. */
const TWO_HOURS = 2 * 3600;

t.test('progress is written often at first, and every ten seconds in the end', async t => {
  const clock = new ManualClock();
  let report: (progress: MoveProgress) => void = () => undefined;
  const run = new MoveRun({
    clock,
    onProgress: () => undefined,
    work: ({ onProgress, signal }) => {
      report = onProgress ?? report;
      return new Promise((_, reject) => signal?.addEventListener('abort', reject));
    },
  });
  const writtenAt: number[] = [];
  for (let second = 0; second < TWO_HOURS; second++) {
    const progress = { bytesDone: second + 1, totalBytes: TWO_HOURS };
    report(progress);
    if (run.progressDueMs === 0) {
      run.progressWritten(progress);
      writtenAt.push(second);
    }
    await clock.pass(1000);
  }
  t.strictSame(writtenAt.slice(0, 10), [0, 1, 2, 3, 4, 5, 7, 9, 12, 15]);
  const [last, ...before] = writtenAt.slice(-20).reverse();
  t.ok(before.every((second, index) => second === last - 10 * (index + 1)));
  t.ok(writtenAt.length < TWO_HOURS / 9, `${writtenAt.length} writes`);
  run.stop('interrupted');
  await run.ended;
});
