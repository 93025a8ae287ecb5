import { EventEmitter } from 'node:events';
import t from 'tap';
import { systemClock } from '#engine/base/clock.ts';
import { listenForSignals } from '#engine/cli/interruption.ts';

t.test('the first signal aborts, the second one quits with 130', async t => {
  const emitter = new EventEmitter();
  const exits: number[] = [];
  const said: string[] = [];
  let nowMs = 1000;
  const clock = { ...systemClock, monotonic: () => nowMs };
  const source = Object.assign(emitter, { exit: (status: number) => exits.push(status) });
  {
    using interruption = listenForSignals(source, text => said.push(text), clock);
    t.equal(interruption.signal.aborted, false);
    emitter.emit('SIGTERM', 'SIGTERM');
    t.equal(interruption.signal.aborted, true);
    t.match(interruption.signal.reason, { code: 'ABORTED', message: /SIGTERM/ });
    t.strictSame(exits, []);
    nowMs += 10;
    emitter.emit('SIGTERM', 'SIGTERM');
    t.strictSame(exits, [], 'the same key press, passed on by the launcher');
    nowMs += 1000;
    emitter.emit('SIGINT', 'SIGINT');
    t.strictSame(exits, [130]);
    t.match(said.join(''), /once more/);
  }
  t.equal(emitter.listenerCount('SIGINT') + emitter.listenerCount('SIGTERM'), 0);
});
