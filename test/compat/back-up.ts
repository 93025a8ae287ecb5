// One writer as a process of its own: `back-up.ts URL PATH`, the password in TEST_PASSWORD. Says
// `open` when the repository is, and begins when its standard input ends, so that several of them
// write at the same time. Prints the snapshot's id.

import { once } from 'node:events';
import { backup, openRepository } from '#engine/index.ts';
import { KOPIA_OWNER } from '#test/support/kopia.ts';

const [url = '', path = ''] = process.argv.slice(2);
const password = process.env.TEST_PASSWORD ?? '';
await using repository = await openRepository({ url, password, owner: KOPIA_OWNER, threads: 2 });
process.stdout.write('open\n');
process.stdin.resume();
await once(process.stdin, 'end');
const outcome = await backup(repository, { path, source: { ...KOPIA_OWNER, path } });
process.stdout.write(`${outcome.snapshotId}\n`);
