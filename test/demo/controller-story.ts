// The third act: a controller and the agents of two nodes. Five volumes, two at once: two of a pod
// that is to be frozen once, a gang; one that goes first; and a window of bandwidth that closes
// while they move. The agents are processes; the controller is in this one, with a clock that is
// set so that the window closes in a moment. The queue is what `stevedore queue` shows.

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { createLog } from '#agent/log.ts';
import { askController } from '#controller/commands/ask-controller.ts';
import { nodesText } from '#controller/commands/nodes-report.ts';
import { queueText } from '#controller/commands/queue-report.ts';
import { readConfig } from '#controller/config.ts';
import { runController } from '#controller/run-controller.ts';
import { type Clock, systemClock } from '#engine/base/clock.ts';
import { formatDuration } from '#engine/cli/quantity.ts';
import { createRepository } from '#engine/index.ts';
import type { ClusterOverview } from '#proto/overview-messages.ts';
import { TOKEN_AUDIENCE } from '#proto/wire-limits.ts';
import { type KubeEmulator, startKubeEmulator } from '#test/kube-emulator/kube-emulator.ts';
import { logLines } from '#test/support/log-lines.ts';
import { SeededRandom } from '#test/support/random.ts';
import { ServiceProcess } from '#test/support/service-process.ts';
import { BACKUPS, PODS as PODS_RESOURCE } from './demo-cluster.ts';
import { PASSWORD, say } from './say.ts';
import * as velero from './velero-objects.ts';

const MIB = 2 ** 20;
const VOLUME_BYTES = 24 * MIB;
const WINDOW_MS = 3_000;
const WINDOW_RATE = '8MiB';
const MINUTE_MS = 60_000;
const LOOK_EVERY_MS = 50;
const STORY_MS_MAX = 60_000;
const NODES = ['worker-1', 'worker-2'] as const;

interface DemoPod {
  readonly name: string;
  readonly node: (typeof NODES)[number];
  readonly volumes: readonly string[];
  readonly annotations?: Readonly<Record<string, string>>;
}

/** In the order in which they are asked for. */
const PODS: readonly DemoPod[] = [
  { name: 'web-0', node: 'worker-2', volumes: ['files'] },
  { name: 'web-1', node: 'worker-2', volumes: ['files'] },
  { name: 'db-0', node: 'worker-1', volumes: ['data', 'logs'] },
  {
    ...{ name: 'pay-0', node: 'worker-1', volumes: ['ledger'] },
    annotations: { 'stevedore.io/priority': '9' },
  },
];

interface Stage {
  readonly place: string;
  readonly api: KubeEmulator;
  readonly stack: AsyncDisposableStack;
}

/** How many volumes were not backed up. */
export async function controllerStory(
  place: string,
  { stack }: { readonly stack: AsyncDisposableStack },
): Promise<number> {
  console.log('\nThe controller: who may move what, when and how fast\n');
  const api = await startKubeEmulator({ velero: '1.18' });
  stack.defer(() => api.stop());
  const stage = { place, api, stack };
  await furnish(stage);
  const clock = new DemoClock();
  const port = await startController(stage, clock);
  await Promise.all(NODES.map(node => startAgent(stage, node, port)));
  say('cluster', 'an API server within this process, two agents and a controller');
  say('', `two volumes at once; in a window, which closes soon, ${WINDOW_RATE}/s for all of them`);
  const order = api.add(velero.order('Backup', 'daily', NAMES));
  const owner = { name: 'daily', uid: order.metadata.uid };
  const ask = (pod: DemoPod) => {
    for (const volume of pod.volumes) api.add(podVolumeBackup(stage, pod, volume, owner));
  };
  say('backup', 'web-0 and web-1 come first, then db-0 with two volumes, a gang, and pay-0,');
  say('', 'which has priority 9\n');
  PODS.slice(0, 2).forEach(ask);
  // On a machine that is busy one of them may have ended before the other begins.
  const isLate = () => backups(api).some(isAtEnd);
  await lookUntil(stage, port, ({ runningCount }) => runningCount === 2 || isLate());
  console.log(indented(nodesText(await look(stage, port))));
  PODS.slice(2).forEach(ask);
  await lookUntil(stage, port, ({ waitingCount }) => waitingCount === 3 || isLate());
  await watch(stage, port, clock.endMinuteIn(WINDOW_MS));
  return report(api);
}

const NAMES: velero.Names = { velero: 'velero', shop: 'shop', node: NODES[0] };

async function furnish({ place, api }: Stage): Promise<void> {
  const folder = join(place, 'bucket/kopia/shop');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(place, 'kubeconfig'), api.kubeconfig());
  const owner = { user: 'default', host: 'default' };
  const url = pathToFileURL(folder).href;
  await createRepository({ url, password: PASSWORD, owner, forVelero: true });
  for (const seed of velero.surroundings(join(place, 'bucket'), PASSWORD)) api.add(seed);
  const concurrency = JSON.stringify({ loadConcurrency: { globalConfig: 2 } });
  const metadata = { name: 'concurrency', namespace: 'velero' };
  api.add({ kind: 'ConfigMap', metadata, data: { 'node-agent-config.json': concurrency } });
  const random = new SeededRandom(7);
  for (const pod of PODS) {
    const { uid } = api.add(podObject(pod)).metadata;
    for (const volume of pod.volumes) {
      const path = join(place, `pods/${uid}/volumes/kubernetes.io~empty-dir/${volume}`);
      mkdirSync(path, { recursive: true });
      writeFileSync(join(path, 'content'), random.bytes(VOLUME_BYTES));
    }
  }
}

function podObject({ name, node, volumes, annotations }: DemoPod) {
  const { metadata, ...pod } = velero.pod(name, { names: { ...NAMES, node } });
  const named = { 'backup.velero.io/backup-volumes': volumes.join(','), ...annotations };
  const spec = {
    nodeName: node,
    containers: [{ name: 'main', image: 'main' }],
    volumes: volumes.map(volume => ({ name: volume, emptyDir: {} })),
  };
  return { ...pod, metadata: { ...metadata, annotations: named }, spec };
}

function podVolumeBackup(
  { api }: Stage,
  { name, node }: DemoPod,
  volume: string,
  owner: velero.PodIdentity,
) {
  const pod = { name, uid: uidOf(api, name) };
  const names = { ...NAMES, node };
  const { spec, ...rest } = velero.podVolumeBackup(`daily-${name}-${volume}`, owner, pod, names);
  return { ...rest, spec: { ...(spec as object), volume } };
}

function uidOf(api: KubeEmulator, name: string): string {
  return api.object(PODS_RESOURCE, { namespace: 'shop', name })?.metadata.uid ?? '';
}

/** Windows are told in minutes, so it is set: to the beginning of one, and then to its end. */
class DemoClock implements Clock {
  #aheadMs = MINUTE_MS - (systemClock.now() % MINUTE_MS);
  readonly monotonic = () => systemClock.monotonic();
  readonly nowNanoseconds = () => systemClock.nowNanoseconds();
  readonly sleep: Clock['sleep'] = (ms, signal) => systemClock.sleep(ms, signal);

  readonly now = () => systemClock.now() + this.#aheadMs;

  /** Gives when that is, by performance.now(). */
  endMinuteIn(ms: number): number {
    this.#aheadMs += MINUTE_MS - (this.now() % MINUTE_MS) - ms;
    return performance.now() + ms;
  }
}

async function startController({ place, api, stack }: Stage, clock: Clock): Promise<number> {
  const cron = (ms: number) => {
    const date = new Date(ms);
    return `${date.getUTCMinutes()} ${date.getUTCHours()} * * *`;
  };
  const [from, until] = [cron(clock.now()), cron(clock.now() + MINUTE_MS)];
  const window = { name: 'office hours', from, until, timeZone: 'UTC', uploadRate: WINDOW_RATE };
  const words = [
    ...['--kubeconfig', join(place, 'kubeconfig'), '--metrics-address', '127.0.0.1:0'],
    ...['--plaintext', '--listen-address', '127.0.0.1:0', '--cluster-slots', '2'],
    ...['--rate-windows', JSON.stringify([window])],
  ];
  const outcome = readConfig({ words, environment: {}, readText: () => '', columns: 80 });
  if (outcome.kind !== 'config') throw new Error('that is a text');
  for (const node of NODES) {
    const metadata = { name: `node-agent-${node}`, namespace: 'velero' };
    api.add({ kind: 'Pod', metadata, spec: { nodeName: node, serviceAccountName: 'stevedore' } });
  }
  const { says, write } = logLines();
  const end = new AbortController();
  const running = runController(outcome.config, {
    log: createLog({ level: 'info', format: 'json', write }),
    ...{ clock, version: 'demo', signal: end.signal },
  });
  stack.defer(async () => {
    end.abort();
    await running;
  });
  const { port } = await says('agents may connect');
  return Number(port);
}

async function startAgent({ place, api, stack }: Stage, node: string, port: number) {
  const at = (path: string) => join(place, `${node}-${path}`);
  const account = { namespace: 'velero', serviceAccount: 'stevedore', node };
  const pod = { name: `node-agent-${node}`, uid: node };
  const token = api.serviceTokens.issue({ ...account, audiences: [TOKEN_AUDIENCE], pod });
  mkdirSync(at('cache'));
  writeFileSync(at('token'), token);
  const agent = stack.use(
    new ServiceProcess([
      ...['node-agent', 'server', '--kubeconfig', join(place, 'kubeconfig')],
      ...['--node-name', node, '--host-pods', join(place, 'pods')],
      ...['--metrics-address', '127.0.0.1:0', '--node-agent-configmap', 'concurrency'],
      ...['--cache-dir', at('cache'), '--cache-limit', '64MiB', '--cache-allow-root-disk'],
      ...['--controller', `127.0.0.1:${port}`, '--controller-plain-text'],
      ...['--controller-token-file', at('token')],
    ]),
  );
  await agent.lineWith(({ message }) => message === 'the controller gives slots');
}

async function lookUntil(
  stage: Stage,
  port: number,
  isIt: (overview: ClusterOverview) => boolean,
): Promise<void> {
  const endMs = performance.now() + STORY_MS_MAX;
  while (!isIt(await look(stage, port))) {
    if (performance.now() > endMs) throw new Error('that is not what the demo is to show');
    await delay(LOOK_EVERY_MS);
  }
}

/** Shows the queue whenever somebody has begun, ended or come, until nobody is left. */
async function watch(stage: Stage, port: number, closesAtMs: number): Promise<void> {
  const endMs = performance.now() + STORY_MS_MAX;
  let shown = '';
  let rate: number | undefined | null = null;
  while (performance.now() < endMs) {
    const overview = await look(stage, port);
    if (rate !== null && rate !== undefined && overview.upload.limit === undefined) {
      say('window', 'it has closed: no limit any more\n');
      console.log(indented(nodesText(overview)));
    }
    rate = overview.upload.limit;
    const now = standing(overview);
    if (now !== shown && overview.runningCount > 0) {
      const leftMs = closesAtMs - performance.now();
      if (leftMs > 0) say('queue', `the window closes in ${formatDuration(leftMs)}\n`);
      else say('queue', 'outside of the window\n');
      console.log(indented(queueText(overview)));
    }
    shown = now;
    const isOver = overview.runningCount + overview.waitingCount === 0;
    const isClosed = overview.upload.limit === undefined;
    if (isOver && isClosed && backups(stage.api).every(isAtEnd)) return;
    await delay(LOOK_EVERY_MS);
  }
  throw new Error('the volumes were not moved in time');
}

function isAtEnd({ phase }: { readonly phase: string }): boolean {
  return ['Completed', 'Failed', 'Canceled'].includes(phase);
}

async function look({ place }: Stage, port: number): Promise<ClusterOverview> {
  const settings = {
    controller: { host: '127.0.0.1', port },
    controllerCaFile: undefined,
    controllerServerName: undefined,
    controllerTokenFile: join(place, `${NODES[0]}-token`),
    controllerPlainText: true,
    controllerTokenGiven: true,
    ...{ namespace: 'velero', kubeconfig: undefined, context: undefined, connectOptions: {} },
    output: 'text' as const,
  };
  const { signal } = new AbortController();
  return await askController(settings, { clock: systemClock, signal });
}

/** Who moves and who waits; times and rates change all the time. */
function standing({ running, waiting }: ClusterOverview): string {
  return JSON.stringify([running, waiting].map(list => list.map(({ volume }) => volume.id)));
}

function indented(text: string): string {
  return text.replace(/^(?=.)/gm, '  ');
}

function backups(api: KubeEmulator) {
  return api.objects(BACKUPS).map(({ metadata, status }) => {
    const { phase = '' } = (status ?? {}) as { readonly phase?: string };
    return { name: metadata.name, phase };
  });
}

function report(api: KubeEmulator): number {
  const all = backups(api);
  const failed = all.filter(({ phase }) => phase !== 'Completed');
  say('backup', `${all.length - failed.length} of ${all.length} volumes are backed up`);
  for (const { name, phase } of failed) say('', `${name}: ${phase}`);
  return failed.length;
}
