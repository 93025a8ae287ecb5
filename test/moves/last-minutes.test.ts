import t from 'tap';
import { settlesWhileAnswered } from '#agent/moves/last-minutes.ts';
import { ManualClock, settle } from '#test/kube/manual-clock.ts';

/** Work of 20 s at most that waits for something that has answered so long ago. */
function scene(workMs = Infinity, withinMs = 20_000) {
  const clock = new ManualClock();
  const answering = {
    answeredMs: 0,
    isAsked: true,
    givenUpMs: -1,
    get unansweredMs() {
      return answering.isAsked ? clock.monotonic() - answering.answeredMs : 0;
    },
    givenUp: () => {
      answering.givenUpMs = clock.monotonic();
    },
  };
  let endedMs = -1;
  const work = clock.sleep(workMs);
  void settlesWhileAnswered(work, withinMs, answering, clock).then(() => {
    endedMs = clock.monotonic();
  });
  const run = async (eachSecond: () => void = () => undefined) => {
    await settle();
    for (let second = 0; second < 30; second++) {
      await clock.pass(1000);
      eachSecond();
    }
    return { endedMs, givenUpMs: answering.givenUpMs };
  };
  return { clock, answering, run };
}

t.test('work is waited for while its storage answers, to the end of the time', async t => {
  const { clock, answering, run } = scene();
  const answer = () => {
    answering.answeredMs = clock.monotonic();
  };
  t.strictSame(await run(answer), { endedMs: 20_000, givenUpMs: -1 });
});

t.test('work that asks for nothing is waited for to the end of the time', async t => {
  const { answering, run } = scene();
  answering.isAsked = false;
  t.strictSame(await run(), { endedMs: 20_000, givenUpMs: -1 });
});

t.test('work is given up when half of the time was without an answer', async t => {
  t.strictSame(await scene().run(), { endedMs: 10_000, givenUpMs: 10_000 });
  t.strictSame(await scene(Infinity, 300_000).run(), { endedMs: 10_000, givenUpMs: 10_000 });
});

t.test('work that ends is not waited for any longer', async t => {
  t.strictSame(await scene(3000).run(), { endedMs: 3000, givenUpMs: -1 });
});
