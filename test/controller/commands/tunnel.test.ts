// `stevedore queue` and `stevedore nodes` without an address: the controller is found in the
// cluster, and reached through the API server.

import { EventEmitter } from 'node:events';
import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import t from 'tap';
import { runCommand } from '#controller/commands/run-command.ts';
import { systemClock } from '#engine/base/clock.ts';
import type { ControllerScene } from '#test/controller/controller-scene.ts';
import { CollectingSink } from '#test/engine/cli/collecting-sink.ts';
import { startKubeEmulator } from '#test/kube-emulator/kube-emulator.ts';
import { addControllerPod, startReachable } from './reachable-controller.ts';

async function run(kubeconfig: string, ...words: string[]) {
  const stdout = new CollectingSink();
  let stderr = '';
  const status = await runCommand({
    ...{ words, stdout, readText: () => '', columns: 100 },
    environment: { KUBECONFIG: kubeconfig },
    say: text => void (stderr += text),
    signals: Object.assign(new EventEmitter(), { exit: () => {} }),
    clock: systemClock,
  });
  return { status, stdout: stdout.text, stderr };
}

t.test('the controller is found and asked, with nothing given', async t => {
  const { api, kubeconfig } = await startReachable(t);
  api.forgetRequests();
  const { status, stdout, stderr } = await run(kubeconfig, 'nodes', '-o', 'json');
  t.equal(status, 0, stderr);
  t.match(JSON.parse(stdout), { nodes: [], leader: /./ });
  const asked = api.requests.map(({ verb, resource }) => `${verb} ${resource}`);
  t.ok(asked.includes('create pods/portforward'), String(asked));
  const { status: queue } = await run(kubeconfig, 'queue', '--context', 'emulator');
  t.equal(queue, 0, 'and with the context that others take');
});

t.test('each right that is missing is named, and what does without it', async t => {
  const { api, kubeconfig, authority } = await startReachable(t);
  const refused = async (plural: string, ...words: string[]) => {
    const undo = api.access.deny({ plural });
    const ran = await run(kubeconfig, 'queue', ...words);
    undo();
    return ran;
  };
  const tunnel = await refused('pods/portforward');
  t.match(tunnel, { status: 1, stderr: /cannot create pods\/portforward velero\/controller-a/ });
  t.match(tunnel.stderr, /try: ask for that right, or name the controller by --controller/);
  t.match((await refused('pods')).stderr, /cannot list pods in namespace velero/);
  t.match(
    (await refused('serviceaccounts/token')).stderr,
    /or give one by --controller-token-file/,
  );
  t.match((await refused('secrets')).stderr, /or give its authority by --controller-ca-file/);
  t.match((await refused('overviews')).stderr, /stevedore-node-agent may not get overviews/);
  t.match(await refused('leases'), { status: 0 }, 'one that is ready is taken');
  const ca = join(dirname(kubeconfig), 'ca.crt');
  writeFileSync(ca, authority.certificate);
  t.match(await refused('secrets', '--controller-ca-file', ca), { status: 0 });
});

t.test('where there is no controller, and where its port is closed, it is said', async t => {
  const api = await startKubeEmulator({ velero: '1.18' });
  t.teardown(() => api.stop());
  const kubeconfig = join(t.testdir({}), 'kubeconfig');
  writeFileSync(kubeconfig, api.kubeconfig());
  const none = await run(kubeconfig, 'queue');
  t.match(none.stderr, /there is no controller in namespace velero: no pod with app\.kubernetes/);
  t.match(none.stderr, /COORDINATOR_UNAVAILABLE/);
  const closed = { api, port: 1 } as ControllerScene; // Of it no more is used.
  addControllerPod(closed, ['--plaintext', '--agent-service-account=x']);
  const away = await run(kubeconfig, 'queue');
  t.match(away.stderr, /the tunnel to pod velero\/controller-a does not come through: .*refused/i);
});
