// The whole controller in the test's own process, against the API emulator.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Test } from 'tap';
import { createLog } from '#agent/log.ts';
import { readConfig } from '#controller/config.ts';
import { runController } from '#controller/run-controller.ts';
import type { TlsPair } from '#controller/sessions/tls-files.ts';
import { type Clock, systemClock } from '#engine/base/clock.ts';
import { type KubeEmulator, startKubeEmulator } from '#test/kube-emulator/kube-emulator.ts';
import { type LogLines, logLines } from '#test/support/log-lines.ts';
import type { Target } from './wire-agent.ts';

export interface SceneOptions {
  /** Somebody else's, such as that of another scene. */
  readonly api?: KubeEmulator;
  /** Whether nobody else does; by default where the API server is its own. */
  readonly leads?: boolean;
  /** Plain text without it. */
  readonly pair?: TlsPair;
  readonly clock?: Clock;
}

export interface ControllerScene extends Target {
  readonly log: LogLines;
  readonly served: (path: string) => Promise<string>;
  readonly stop: () => Promise<void>;
}

export async function startController(
  t: Test,
  flags: readonly string[] = [],
  nodes: readonly string[] = [],
  options: SceneOptions = {},
): Promise<ControllerScene> {
  const { pair, clock = systemClock, leads = options.api === undefined } = options;
  const api = options.api ?? (await startKubeEmulator({ velero: '1.18' }));
  for (const nodeName of nodes) {
    const metadata = { name: `agent-${nodeName}`, namespace: 'velero' };
    api.add({ kind: 'Pod', metadata, spec: { nodeName, serviceAccountName: 'stevedore' } });
  }
  const directory = mkdtempSync(join(tmpdir(), 'controller-'));
  t.teardown(() => rmSync(directory, { recursive: true }));
  writeFileSync(join(directory, 'kubeconfig'), api.kubeconfig());
  writeFileSync(join(directory, 'tls.crt'), pair?.certificate ?? '');
  writeFileSync(join(directory, 'tls.key'), pair?.key ?? '');
  const words = [
    ...['--kubeconfig', join(directory, 'kubeconfig'), '--metrics-address', '127.0.0.1:0'],
    ...['--listen-address', '127.0.0.1:0', '--lease-duration', '2s'],
    ...['--status-address', '127.0.0.1:0', ...flags],
    ...(pair === undefined ? ['--plaintext'] : ['--tls-dir', directory]),
  ];
  const outcome = readConfig({ words, environment: {}, readText: () => '', columns: 80 });
  if (outcome.kind !== 'config') throw new Error('that is a text');
  const log = logLines();
  const end = new AbortController();
  const running = runController(outcome.config, {
    log: createLog({ level: 'debug', format: 'json', write: log.write }),
    clock,
    version: 'test',
    signal: end.signal,
  });
  const stop = async () => {
    end.abort();
    await running;
  };
  t.teardown(async () => {
    await stop();
    if (options.api === undefined) await api.stop();
  });
  const health = await log.says('metrics are served');
  const port = Number((await log.says('agents may connect')).port);
  await log.says(leads ? 'this controller leads' : 'this controller stands by');
  const served = async (path: string) =>
    await (await fetch(`http://127.0.0.1:${String(health.port)}${path}`)).text();
  return { api, log, host: '127.0.0.1', port, trust: { plainText: true }, stop, served };
}
