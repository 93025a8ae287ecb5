import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Test } from 'tap';
import { NODE } from '#test/demo/velero-objects.ts';
import type { ControllerScene } from './controller-scene.ts';
import { tokenOf } from './wire-agent.ts';

/** Those of an agent that speaks with that controller, and the token that it shows. */
export function agentFlags(
  t: Test,
  { api, port }: Pick<ControllerScene, 'api' | 'port'>,
): { readonly flags: readonly string[]; readonly token: string } {
  const directory = mkdtempSync(join(tmpdir(), 'agent-'));
  t.teardown(() => rmSync(directory, { recursive: true }));
  const token = tokenOf(api, NODE);
  const tokenFile = join(directory, 'token');
  writeFileSync(tokenFile, token);
  const flags = [
    ...[`--controller=127.0.0.1:${port}`, '--controller-plain-text'],
    `--controller-token-file=${tokenFile}`,
  ];
  return { flags, token };
}
