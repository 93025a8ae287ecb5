import t from 'tap';
import { PerRun } from '#engine/snapshot/upload/per-run.ts';
import { uploadRun } from './upload-run.ts';

t.test('a task that comes when its run has ended makes nothing that nobody ends', async t => {
  let open = 0;
  const held = new PerRun(() => {
    open += 1;
    return { [Symbol.dispose]: () => void (open -= 1) };
  });
  const run = uploadRun();
  t.equal(held.of(run), held.of(run));
  t.equal(open, 1);
  held.end(run.runId);
  t.throws(() => held.of(run), { code: 'ABORTED' });
  t.equal(open, 0);
  const later = { ...run, runId: run.runId + 1 };
  held.of(later);
  for (let runId = later.runId + 1; runId < later.runId + 300; runId++) held.end(runId);
  t.ok(held.of(later), 'one that goes on is there, however many have ended');
  t.equal(open, 1);
});
