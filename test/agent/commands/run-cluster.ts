// A verb about a cluster without a process around it: words in, status and text out.

import { EventEmitter } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runClusterCommand } from '#agent/commands/run-cluster-command.ts';
import { systemClock } from '#engine/base/clock.ts';
import { CollectingSink } from '#test/engine/cli/collecting-sink.ts';
import type { Ran } from '#test/engine/cli/surface.ts';

export interface RunClusterOptions {
  /** Text of a kubeconfig; without it there is none. */
  readonly kubeconfig?: string;
  readonly environment?: Readonly<Record<string, string>>;
  /** As `kubectl stevedore`. */
  readonly isPlugin?: boolean;
  readonly workingDirectory?: string;
}

export async function runCluster(
  words: readonly string[],
  options: RunClusterOptions = {},
): Promise<Ran> {
  const { kubeconfig, environment = {}, isPlugin = false, workingDirectory = '/' } = options;
  const directory = mkdtempSync(join(tmpdir(), 'cluster-command-'));
  const stdout = new CollectingSink();
  let stderr = '';
  try {
    const path = join(directory, 'kubeconfig');
    if (kubeconfig !== undefined) writeFileSync(path, kubeconfig);
    const status = await runClusterCommand({
      ...{ words, isPlugin, stdout, version: '1', columns: 100, clock: systemClock },
      environment: { ...(kubeconfig === undefined ? {} : { KUBECONFIG: path }), ...environment },
      surroundings: { workingDirectory, user: 'me', host: 'desk' },
      say: text => void (stderr += text),
      signals: Object.assign(new EventEmitter(), { exit: () => {} }),
    });
    return { status, stdout: stdout.text, stderr };
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** That they stand below each other is the table's own business. */
export function cells(text: string): string[] {
  return text.split('\n').map(line => line.trim().replaceAll(/ {2,}/g, ' | '));
}
