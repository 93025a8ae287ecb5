// The controller as it is run: two processes of which one leads, killed, told to end, and started
// wrongly. An agent with a session keeps what it holds through all of it.

import t from 'tap';
import { leads, refusedStart, startTwo } from './two-controllers.ts';
import { KeepingAgent } from './wire-agent.ts';

/** Issue 7. */
const FAIL_OVER_MS_MAX = 15_000;
/** Long before its slots have ended, 40.5 s after its last report. */
const AGENT_MS_MAX = 20_000;

t.test('when the leader is killed the other one leads within 15 s, and slots stay', async t => {
  const both = await startTwo(t);
  const [first, second] = both.replicas;
  const agent = new KeepingAgent(t, both.target, 'n1');
  agent.want('x');
  await agent.until(() => agent.started.includes('x'));
  t.match(await second.served('/readyz'), /it stands by; \S+ leads\nready\n$/);
  t.match(await second.served('/metrics'), /^stevedore_controller_leads 0$/m);
  const before = await leads(first);
  const killedMs = performance.now();
  t.equal(await first.process.end('SIGKILL'), null);
  const after = await leads(second);
  const tookMs = performance.now() - killedMs;
  t.ok(tookMs < FAIL_OVER_MS_MAX, `${Math.round(tookMs)} ms`);
  t.ok(after > before);
  await agent.until(() => agent.standings.at(-1) === 'with');
  const agentMs = performance.now() - killedMs;
  t.ok(agentMs < AGENT_MS_MAX, `${Math.round(agentMs)} ms`);
  t.comment(`led after ${Math.round(tookMs)} ms, agent after ${Math.round(agentMs)} ms`);
  t.match([...agent.keeper.holds], [{ id: 'x', isAlone: false }], 'it holds what it held');
  agent.want('y');
  await agent.until(() => agent.started.includes('y'));
  t.strictSame([agent.started, agent.alone], [['x', 'y'], []], 'nothing was begun twice or alone');
  t.match(
    await second.served('/metrics'),
    'stevedore_controller_slots{limit="cluster",name="",state="used"} 2',
  );
});

t.test('when the leader is told to end the other one leads at once', async t => {
  const both = await startTwo(t);
  const [first, second] = both.replicas;
  const agent = new KeepingAgent(t, both.target, 'n1');
  agent.want('x');
  await agent.until(() => agent.started.includes('x'));
  const toldMs = performance.now();
  t.equal(await first.process.end('SIGTERM'), 0);
  await leads(second);
  const tookMs = performance.now() - toldMs;
  t.ok(tookMs < 5_000, `${Math.round(tookMs)} ms`);
  await agent.until(() => agent.standings.at(-1) === 'with');
  t.comment(
    `led after ${Math.round(tookMs)} ms, agent after ${Math.round(performance.now() - toldMs)}`,
  );
  t.match([...agent.keeper.holds], [{ id: 'x', isAlone: false }]);
  t.notOk(first.process.lines.some(({ level }) => level === 'error'));
});

t.test('a leader whose API server is away stops, and leads again when it is back', async t => {
  const both = await startTwo(t, '--lease-duration', '2s');
  const [first, second] = both.replicas;
  const lost = first.process.lineWith(({ message }) => message === 'the Lease is lost');
  await both.api.goAway();
  await lost;
  const { lines } = first.process;
  const from = lines.length;
  await both.api.comeBack();
  const again = (process: typeof first.process, since: number) =>
    process.lineWith(
      line => line.message === 'this controller leads' && process.lines.indexOf(line) >= since,
    );
  const { epoch } = await Promise.race([
    again(first.process, from),
    again(second.process, second.process.lines.length),
  ]);
  t.ok(Number(epoch) > (await leads(first)));
});

t.test('a certificate that is replaced is used without a restart', async t => {
  const both = await startTwo(t);
  both.putCertificate();
  for (const { process } of both.replicas) {
    await process.lineWith(({ message }) => message === 'the certificate was replaced');
  }
  const agent = new KeepingAgent(t, both.target, 'n1');
  await agent.until(() => agent.standings.includes('with'));
});

t.test('all that is wrong with the configuration is said at once', async t => {
  const { status, stderr } = refusedStart(
    ...['--cluster-slots', 'many', '--lease-duration', '1h', '--tls-dirr', '/tls'],
    ...['--rate-windows', '[{name: night, from: "0 8 * *", until: "0 9 * * *", timeZone: UTC}]'],
  );
  t.equal(status, 2);
  for (const problem of [
    "--cluster-slots is 'many'",
    '--lease-duration is 3600s',
    'no option --tls-dirr; try --tls-dir',
    'window 1 of --rate-windows: "0 8 * *" in time zone UTC is no time',
    'there is no certificate',
  ]) {
    t.match(stderr, problem);
  }
});

t.test(
  'plain text is refused where others can hear it, and no certificate is no start',
  async t => {
    for (const address of [':0', '0.0.0.0:0', 'localhost:0', '[::]:0']) {
      const { status, stderr } = refusedStart('--plaintext', '--listen-address', address);
      t.equal(status, 2, address);
      t.match(stderr, 'would show tokens to the network');
    }
  },
);
