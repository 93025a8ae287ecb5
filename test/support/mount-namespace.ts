// Tests that mount something, in a mount namespace of their own, which vanishes with everything
// that was mounted there, however its process ends.

import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import t from 'tap';

/** Runs a file of tests there, or says why it cannot. */
export function testInMountNamespace(cases: URL): void {
  const probe = spawnSync('unshare', ['--mount', 'mount', '-t', 'tmpfs', 'none', '/mnt']);
  if (probe.status === 0) {
    const args = ['--mount', '--propagation', 'private', process.execPath, fileURLToPath(cases)];
    t.spawn('unshare', args, { timeout: 60_000 }, 'in a mount namespace');
    return;
  }
  const reason = probe.error?.message ?? probe.stderr.toString().trim();
  t.test('real', { skip: `nothing can be mounted here: ${reason}` }, async () => undefined);
}
