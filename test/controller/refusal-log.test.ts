// What the log says of agents that are turned away.

import t from 'tap';
import type { LogKeys } from '#agent/log.ts';
import { QUIET_MS, refusalLog } from '#controller/refusal-log.ts';
import { type Refusal, refuse } from '#controller/sessions/refusals.ts';
import { ManualClock } from '#test/kube/manual-clock.ts';

t.test('each reason has a line a minute, with how many there were meanwhile', async t => {
  const clock = new ManualClock();
  const lines: { readonly level: string; readonly keys: LogKeys }[] = [];
  const note = (level: string) => (keys: LogKeys) => void lines.push({ level, keys });
  const tell = refusalLog({ debug: note('debug'), warn: note('warn') }, clock);
  const turnAway = (reason: Refusal) =>
    tell({ reason, error: refuse(reason, 'no'), address: '10.0.0.1', node: undefined });
  for (let count = 0; count < 100; count++) turnAway('no-token');
  turnAway('aged');
  t.strictSame(
    lines.map(({ level, keys }) => [level, keys.reason, keys.unsaid]),
    [
      ['warn', 'no-token', 0],
      ['debug', 'aged', 0],
    ],
  );
  await clock.pass(QUIET_MS);
  turnAway('no-token');
  t.match(lines.at(-1), { level: 'warn', keys: { reason: 'no-token', unsaid: 99 } });
});
