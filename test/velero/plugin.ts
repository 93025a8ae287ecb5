// `kubectl stevedore` beneath a stock Velero server, as a program of its own: what a backup holds
// of a volume, how all of it stands, and the controller through the API server.

import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Test } from 'tap';
import { promisify } from 'node:util';
import type { ApiObject } from '#test/cluster/api-client.ts';
import { helmIsMissing } from '#test/charts/helm.ts';
import { REPOSITORY_ROOT } from '#test/tidy/source-files.ts';
import type { Installation } from './installation.ts';
import { pathOfMove, untilEnded } from './moves.ts';
import type { Scenario, World } from './scenario.ts';
import { Workload } from './workload.ts';

export const PLUGIN: readonly Scenario[] = [
  {
    title: 'kubectl stevedore finds files of a backup, and says how all of it stands',
    isTrueOfStock: false,
    skip: helmIsMissing(),
    play: lookAtAll,
  },
];

const run = promisify(execFile);
const NAME = 'looked-at';
const TEXT = 'port = 3306\n';
const CONTROLLER = '/apis/apps/v1/namespaces/velero/deployments/stevedore-controller';
const CONTROLLER_MS_MAX = 120_000;
const PROGRAM_MS_MAX = 60_000;
const OUTPUT_BYTES_MAX = 16 << 20;

type Plugin = (...words: readonly string[]) => Promise<string>;

async function lookAtAll(t: Test, { installation, agent }: World): Promise<void> {
  const { client } = installation;
  const workload = await Workload.start(client, { namespace: NAME, volumes: ['data'] });
  writeFileSync(join(await workload.volumePath('data'), 'my.cnf'), TEXT);
  await installation.velero('backup', 'create', NAME, '--include-namespaces', NAME, '--wait');
  const done = await untilEnded(installation, pathOfMove('backups', NAME));
  t.match(done, { status: { phase: 'Completed' } });
  const place = mkdtempSync(join(tmpdir(), 'plugin-'));
  t.teardown(() => rmSync(place, { recursive: true }));
  const plugin = await pluginIn(place, installation);
  const volume = `${NAME}/${workload.pods[0] ?? ''}/data`;
  t.match(await plugin('ls', NAME, volume), /12 B .* my\.cnf\n/);
  t.equal(await plugin('cat', NAME, `${volume}:/my.cnf`), TEXT);
  await plugin('restore', NAME, volume, join(place, 'restored'));
  t.equal(readFileSync(join(place, 'restored', 'my.cnf'), 'utf8'), TEXT);
  t.match(await plugin('moves', '-n', NAME), new RegExp(`pvb/\\S+ +${volume} .* Completed`));
  t.match(await plugin('why', `backup/${NAME}`), 'It is Completed; 1 of 1 moves');
  t.match(JSON.parse(await plugin('status', '-o', 'json')), {
    agents: [{ name: 'node-agent', whose: 'Stevedore', wanted: 1, ready: 1 }],
    agentsNotReady: [],
    controller: null,
    locations: { count: 1, bad: [] },
    unseen: [],
  });
  await throughTheTunnel(t, installation, plugin);
  await workload.delete();
  await installation.useAgent(agent);
}

/** What the chart installs is found without a word about it. */
async function throughTheTunnel(t: Test, installation: Installation, plugin: Plugin) {
  const { client } = installation;
  await installation.useChart('controller.enabled=true', 'controller.replicas=1');
  const isThere = ({ status }: ApiObject) => status?.readyReplicas === 1;
  await client.until(CONTROLLER, isThere, { msMax: CONTROLLER_MS_MAX, what: 'ready' });
  const [pod] = await client.list(
    '/api/v1/namespaces/velero/pods?labelSelector=app.kubernetes.io%2Fname%3Dstevedore-controller',
  );
  t.match(JSON.parse(await plugin('status', '-o', 'json')), {
    controller: { wanted: 1, ready: 1, leader: pod?.metadata.name },
    unseen: [],
  });
  t.match(await plugin('queue'), /0 of \d+ slots are used/);
  t.match(JSON.parse(await plugin('nodes', '-o', 'json')), { leader: pod?.metadata.name });
}

/** With the keys that the server has, as the location names none. */
async function pluginIn(place: string, { client, cluster }: Installation): Promise<Plugin> {
  const program = join(place, 'kubectl-stevedore');
  symlinkSync(join(REPOSITORY_ROOT, 'agent/stevedore.js'), program);
  const secret = await client.get('/api/v1/namespaces/velero/secrets/cloud-credentials');
  // core/v1, Secret.
  const { data = {} } = secret as { readonly data?: Readonly<Record<string, string>> };
  const keys = join(place, 'keys');
  writeFileSync(keys, Buffer.from(data.cloud ?? '', 'base64'), { mode: 0o600 });
  const env = {
    ...process.env,
    KUBECONFIG: cluster.plane.kubeconfig,
    AWS_SHARED_CREDENTIALS_FILE: keys,
  };
  return async (...words) => {
    const options = { env, timeout: PROGRAM_MS_MAX, maxBuffer: OUTPUT_BYTES_MAX };
    return (await run(process.execPath, [program, ...words], options)).stdout;
  };
}
