// `stevedore queue` and `stevedore nodes` against a controller that runs, over the network.

import { EventEmitter } from 'node:events';
import { createServer } from 'node:net';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { runCommand } from '#controller/commands/run-command.ts';
import { systemClock } from '#engine/base/clock.ts';
import { TOKEN_AUDIENCE } from '#proto/wire-limits.ts';
import { type ControllerScene, startController } from '#test/controller/controller-scene.ts';
import { KeepingAgent, SpeakingAgent } from '#test/controller/wire-agent.ts';
import { CollectingSink } from '#test/engine/cli/collecting-sink.ts';
import type { KubeEmulator } from '#test/kube-emulator/kube-emulator.ts';
import { makeAuthority, makePair } from '#test/support/certificates.ts';

const ACCOUNT = { namespace: 'ops', serviceAccount: 'viewer', audiences: [TOKEN_AUDIENCE] };

/** A file with a token of a person's. */
function tokenFile(t: Test, api: KubeEmulator): string {
  return join(t.testdir({ token: `${api.serviceTokens.issue(ACCOUNT)}\n` }), 'token');
}

async function run(...words: string[]) {
  const stdout = new CollectingSink();
  let stderr = '';
  const status = await runCommand({
    ...{ words, stdout, environment: {}, readText: () => '', columns: 100 },
    say: text => void (stderr += text),
    signals: Object.assign(new EventEmitter(), { exit: () => {} }),
    clock: systemClock,
  });
  return { status, stdout: stdout.text, stderr };
}

const plainly = ({ port }: Pick<ControllerScene, 'port'>, token: string) => [
  ...['--controller', `127.0.0.1:${port}`, '--controller-plain-text'],
  ...['--controller-token-file', token],
];

t.test('what moves, what waits and how nodes do', async t => {
  const scene = await startController(t, ['--cluster-slots', '1', '--upload-rate', '1MiB']);
  const agent = new KeepingAgent(t, scene, 'n1');
  agent.want('x', 7);
  await agent.until(() => agent.started.includes('x'));
  const other = new SpeakingAgent(t, scene, 'n2');
  const volume = { id: 'y', namespace: 'shop', pod: 'db-0', location: 'default' };
  const named = { ...volume, move: 'PodVolumeBackup/daily-1', volumeName: 'data' };
  other.say({
    heartbeat: {
      diskFreeBytes: 5000,
      cache: { limitBytes: 2000, usedBytes: 700 },
      memory: { usedBytes: 1 },
      moves: [],
    },
  });
  const requests = [{ volume: named, number: 1, priority: 3, waitedMs: 60_000 }];
  other.say({ slots: { sequence: 1, epoch: 0, sentAtMs: 0, slotsMax: 2, requests, holds: [] } });
  await other.hears(({ slots }) => Boolean(slots));
  const words = plainly(scene, tokenFile(t, scene.api));
  const queue = await run('queue', ...words, '-o', 'json');
  t.equal(queue.status, 0, queue.stderr);
  t.match(JSON.parse(queue.stdout), {
    slotsMax: 1,
    running: [{ id: 'x', namespace: 'a', node: 'n1', reason: { kind: 'turn', priority: 7 } }],
    waiting: [
      {
        ...{ move: 'PodVolumeBackup/daily-1', namespace: 'shop', pod: 'db-0', volume: 'data' },
        ...{ place: 1, priority: 3, cause: 'full', limit: { kind: 'cluster' }, nodes: ['n2'] },
      },
    ],
  });
  const nodes = await run('nodes', ...words, '-o', 'json');
  t.match(JSON.parse(nodes.stdout), {
    upload: { limit: 2 ** 20 },
    nodes: [
      { name: 'n1', isConnected: true, version: 'test', slotsUsed: 1, slotsMax: 2 },
      {
        ...{ name: 'n2', waitingCount: 1, diskFreeBytes: 5000 },
        cache: { limitBytes: 2000, usedBytes: 700 },
      },
    ],
  });
  t.match((await run('queue', ...words)).stdout, /shop\/db-0 .* the limit of the cluster is reach/);
});

t.test('a certificate is for a name, also through a tunnel', async t => {
  const authority = makeAuthority();
  const name = 'stevedore-controller.velero.svc';
  const scene = await startController(t, [], [], { pair: makePair(authority, { hosts: [name] }) });
  const token = tokenFile(t, scene.api);
  const ca = join(t.testdir({}), 'ca.crt');
  writeFileSync(ca, authority.certificate);
  writeFileSync(token, scene.api.serviceTokens.issue(ACCOUNT));
  const words = ['--controller', `127.0.0.1:${scene.port}`, '--controller-ca-file', ca];
  words.push('--controller-token-file', token);
  const named = await run('nodes', ...words, '--controller-server-name', name);
  t.equal(named.status, 0, named.stderr);
  const unnamed = await run('nodes', ...words);
  t.match(unnamed.stderr, /COORDINATOR_TLS_INVALID/);
  t.match(unnamed.stderr, /try: .*--controller-server-name/);
});

t.test('what is wrong has a name and an advice', async t => {
  const scene = await startController(t);
  const token = tokenFile(t, scene.api);
  const closed = createServer().listen(0, '127.0.0.1');
  await new Promise(resolve => closed.once('listening', resolve));
  const { port } = closed.address() as { port: number };
  await new Promise(resolve => closed.close(resolve));
  const away = await run('queue', ...plainly({ port }, token));
  t.equal(away.status, 1);
  t.match(away.stderr, /COORDINATOR_UNAVAILABLE/);
  t.match(away.stderr, /try: look at --controller/);
  const noToken = await run('queue', ...plainly(scene, '/no/such/token'));
  t.match(noToken.stderr, /\/no\/such\/token: ENOENT\n +try: .*kubectl create token/);
  const undo = scene.api.access.deny({ plural: 'overviews' });
  const forbidden = await run('queue', ...plainly(scene, token), '-o', 'json');
  t.match(JSON.parse(forbidden.stdout), {
    error: { code: 'COORDINATOR_FORBIDDEN', message: /ops:viewer may not get overviews/ },
  });
  undo();
});

t.test('one that stands by is asked again, and then says who leads', async t => {
  const { api } = await startController(t);
  const follower = await startController(t, [], [], { api });
  const { status, stderr } = await run('queue', ...plainly(follower, tokenFile(t, api)));
  t.equal(status, 1);
  t.match(stderr, /this controller stands by; \S+ leads\n +try: ask the one that leads/);
});

t.test('wrong usage is told all at once, and help has examples', async t => {
  const wrong = await run('queue', '--controllr', 'x', '-o', 'xml');
  t.equal(wrong.status, 2);
  for (const part of ['try --controller', 'text, json']) {
    t.match(wrong.stderr, part);
  }
  const untrusted = await run('queue', '--controller', 'controller.example:8443');
  t.match(untrusted.stderr, 'there is nothing to know the controller by');
  const help = await run('nodes', '--help');
  t.match(help.stdout, 'kubectl -n velero exec ds/node-agent -- stevedore nodes');
  t.notMatch(help.stdout, '--config ');
});
