// The whole agent in the test's own process, against the API emulator: its log, line by line, and
// the volumes of its node.

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Test } from 'tap';
import { readConfig } from '#agent/config.ts';
import { createLog } from '#agent/log.ts';
import { SecretTexts } from '#agent/log-secrets.ts';
import { runAgent } from '#agent/run-agent.ts';
import { type Clock, systemClock } from '#engine/base/clock.ts';
import { createRepository } from '#engine/index.ts';
import type { KubeObject, Resource } from '#kube/kube-object.ts';
import * as velero from '#test/demo/velero-objects.ts';
import { startKubeEmulator, type KubeEmulator } from '#test/kube-emulator/kube-emulator.ts';
import { type LogLine, logLines } from './log-lines.ts';

export const PASSWORD = 'static-passw0rd';
export const BACKUP = { name: 'daily', uid: '22222222-0000-4000-8000-000000000001' };
export const RESTORE = { name: 'restored', uid: '77777777-0000-4000-8000-000000000001' };

export interface AgentScene {
  readonly api: KubeEmulator;
  readonly directory: string;
  readonly lines: string[];
  /** Resolves with the line when the agent says it. */
  readonly says: (message: string) => Promise<LogLine>;
  readonly stop: () => Promise<void>;
  /** Makes the repository of the volumes' namespace, as the server would. */
  readonly makeRepository: () => Promise<void>;
  /** A running pod with a volume in which one file has that text, and no file without one. */
  readonly runPod: (
    name: string,
    text?: string,
    options?: Parameters<typeof velero.pod>[1],
  ) => velero.PodIdentity;
  /** Where its files are, as the kubelet has them. */
  readonly volumeOf: (uid: string) => string;
}

export interface AgentSceneOptions {
  /** Before the agent begins. */
  readonly prepare?: (api: KubeEmulator) => void;
  /** More flags. */
  readonly flags?: readonly string[];
  readonly clock?: Clock;
  /** Of another scene, which ends it. */
  readonly api?: KubeEmulator;
}

export async function startAgent(t: Test, options: AgentSceneOptions = {}): Promise<AgentScene> {
  const { prepare, flags = [], clock = systemClock } = options;
  const directory = t.testdir({ pods: {}, bucket: {} });
  const api = options.api ?? (await startKubeEmulator({ velero: '1.18' }));
  api.put({ kind: 'Node', metadata: { name: velero.NODE } });
  for (const seed of velero.surroundings(join(directory, 'bucket'), PASSWORD)) api.put(seed);
  prepare?.(api);
  writeFileSync(join(directory, 'kubeconfig'), api.kubeconfig());
  const words = [
    ...['--kubeconfig', join(directory, 'kubeconfig'), '--node-name', velero.NODE],
    ...['--host-pods', join(directory, 'pods'), '--metrics-address', '127.0.0.1:0'],
    ...flags,
  ];
  const outcome = readConfig({ words, environment: {}, readText: () => '', columns: 80 });
  if (outcome.kind !== 'config') throw new Error('that is a text');
  const { lines, says, write } = logLines();
  const end = new AbortController();
  const secrets = new SecretTexts();
  const log = createLog({ level: 'debug', format: 'json', write, secrets });
  const { config, inert } = outcome;
  const running = runAgent(config, { log, secrets, clock, signal: end.signal, inert });
  const stop = async () => {
    end.abort(new Error('told to end'));
    await running;
  };
  t.teardown(async () => {
    await stop();
    if (options.api === undefined) await api.stop();
  });
  return { api, directory, lines, says, stop, ...nodeIn(directory, api) };
}

function nodeIn(directory: string, api: KubeEmulator) {
  const volumeOf = (uid: string) =>
    join(directory, `pods/${uid}/volumes/kubernetes.io~empty-dir/${velero.VOLUME}`);
  return {
    volumeOf,
    runPod: (name: string, text?: string, options?: Parameters<typeof velero.pod>[1]) => {
      const { uid = '' } = api.add(velero.pod(name, options)).metadata;
      mkdirSync(volumeOf(uid), { recursive: true });
      if (text !== undefined) writeFileSync(join(volumeOf(uid), 'file'), text);
      return { name, uid };
    },
    makeRepository: async () => {
      const folder = join(directory, 'bucket/kopia', velero.NAMESPACE);
      mkdirSync(folder, { recursive: true });
      const owner = { user: 'default', host: 'default' };
      const url = pathToFileURL(folder).href;
      await createRepository({ url, password: PASSWORD, owner, forVelero: true });
    },
  };
}

/** The status with which the move of that name has ended. */
export async function ended(api: KubeEmulator, kind: Resource, name: string) {
  type Move = KubeObject & { readonly status?: Record<string, unknown> };
  const client = api.client();
  const query = { namespace: 'velero', fieldSelector: `metadata.name=${name}` };
  const { resourceVersion, items } = await client.list<Move>(kind, query);
  const hasEnded = ({ status }: Move) => /Completed|Failed|Canceled/.test(String(status?.phase));
  const found = items.find(hasEnded);
  if (found !== undefined) return found.status;
  for await (const event of client.watch<Move>(kind, { ...query, resourceVersion })) {
    if (event.type !== 'BOOKMARK' && hasEnded(event.object)) return event.object.status;
  }
  throw new Error('the watch has ended');
}
