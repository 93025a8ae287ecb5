// node test/node24.js test/cluster/in-namespaces.ts FILE [WORD...]: runs a test file in a world of
// its own: network, processes, mounts, and all places where a node keeps something. The kernel ends
// every process in there with the first of them, and takes network and mounts away with the last,
// so that nothing remains, however it ends. Where that cannot be had the test runs outside and
// skips.

import { once } from 'node:events';
import { spawn, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { makeControlGroups, removeControlGroups } from './control-groups.ts';
import { detachLoopDevices } from './loop-devices.ts';

const UNSHARE = ['--net', '--mount', '--pid', '--mount-proc', '--fork', '--kill-child'];
const INSIDE = fileURLToPath(new URL('inside-namespaces.sh', import.meta.url));
const ENDED_BY_SIGNAL = 1;

const scratch = mkdtempSync(join(tmpdir(), 'cluster-'));
const groups = `stevedore-test-${process.pid}`;
const { status, stderr } = spawnSync('unshare', [...UNSHARE, 'true'], { encoding: 'utf8' });
const canUnshare = status === 0;
if (canUnshare) makeControlGroups(groups);
const inside = {
  TMPDIR: scratch,
  ...(canUnshare
    ? { STEVEDORE_TEST_GROUPS: groups }
    : { STEVEDORE_TEST_NO_NAMESPACES: `no namespaces can be made here: ${stderr.trim()}` }),
};
const test = [process.execPath, ...process.argv.slice(2)];
const [program = '', ...words] = canUnshare ? ['unshare', ...UNSHARE, 'sh', INSIDE, ...test] : test;
const child = spawn(program, words, { stdio: 'inherit', env: { ...process.env, ...inside } });
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => child.kill('SIGKILL'));
}
await once(child, 'exit');
process.exitCode = child.exitCode ?? ENDED_BY_SIGNAL;
if (canUnshare) {
  await removeControlGroups(groups);
  detachLoopDevices(scratch);
}
if (process.exitCode !== 0) keepLogs();
rmSync(scratch, { recursive: true, force: true, maxRetries: 5 });

/** Of all programs and pods, for whoever wants to know why. */
function keepLogs(): void {
  const logs = fileURLToPath(new URL('../../out/cluster-logs', import.meta.url));
  rmSync(logs, { recursive: true, force: true });
  const found = join(scratch, 'var/log');
  if (existsSync(found)) cpSync(found, logs, { recursive: true });
}
