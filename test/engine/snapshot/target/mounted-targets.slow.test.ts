// Real file systems, small ones and odd ones. They are mounted in a mount namespace of their own,
// which vanishes with everything that was mounted there, however its process ends.

import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import t from 'tap';

const probe = spawnSync('unshare', ['--mount', 'mount', '-t', 'tmpfs', 'none', '/mnt']);
if (probe.status === 0) {
  const cases = fileURLToPath(new URL('./mounted-targets.ts', import.meta.url));
  const args = ['--mount', '--propagation', 'private', process.execPath, cases];
  t.spawn('unshare', args, { timeout: 60_000 }, 'in a mount namespace');
} else {
  const reason = probe.error?.message ?? probe.stderr.toString().trim();
  t.test('real', { skip: `nothing can be mounted here: ${reason}` }, async () => undefined);
}
