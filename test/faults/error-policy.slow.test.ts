// Entries that may not be read: counted, passed over or the end of the backup, as was asked for.

import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import type { UnprivilegedCase } from './unprivileged-backup.ts';
import { fastDirectory } from '#test/engine/storage/fast-directory.ts';

const PROGRAM = fileURLToPath(new URL('unprivileged-backup.ts', import.meta.url));
const place = fastDirectory(t);
const path = `${place}/source`;

mkdirSync(`${path}/closed`, { recursive: true });
mkdirSync(`${path}/open/ruled`, { recursive: true });
for (const name of ['secret', 'fine', 'open/secret', 'open/fine']) {
  writeFileSync(`${path}/${name}`, name);
}
// Larger than what the thread that lists a directory reads itself.
writeFileSync(`${path}/large`, new Uint8Array(2_000_000));
symlinkSync('nowhere', `${path}/open/ruled/.kopiaignore`);
for (const name of ['secret', 'open/secret', 'closed']) chmodSync(`${path}/${name}`, 0);
chmodSync(place, 0o755);
t.teardown(() => chmodSync(`${path}/closed`, 0o755));

const files = { errorHandling: { ignoreFileErrors: true } };
const directories = { errorHandling: { ignoreDirectoryErrors: true } };
const all = { errorHandling: { ignoreFileErrors: true, ignoreDirectoryErrors: true } };
const cases = {
  plain: {},
  files: { policies: { '': files } },
  directories: { policies: { '': directories } },
  // A policy of a directory says anew which ignore files there are.
  below: { policies: { '/open': { ...files, files: { ignoreDotFiles: ['.kopiaignore'] } } } },
  refused: { request: { onError: 'fail' } },
  passedOver: { request: { onError: 'fail' }, policies: { '': all } },
} satisfies Record<string, UnprivilegedCase>;

const words = [PROGRAM, path, JSON.stringify(Object.values(cases))];
const child = spawnSync(process.execPath, words, { encoding: 'utf8' });
t.equal(child.stderr, '');
const printed = JSON.parse(child.stdout) as Record<string, unknown>[];

function outcomeOf(name: keyof typeof cases): Record<string, unknown> {
  return printed[Object.keys(cases).indexOf(name)];
}

t.test('by default the rest is stored, and each is named and counted', async t => {
  const expected = { files: 3, failedCount: 4, ignoredErrorCount: 0, skippedCount: 4 };
  t.match(outcomeOf('plain'), expected);
});

t.test('a policy passes over errors of files, another one of directories', async t => {
  t.match(outcomeOf('files'), { failedCount: 2, ignoredErrorCount: 2, skippedCount: 4 });
  t.match(outcomeOf('directories'), { failedCount: 2, ignoredErrorCount: 2 });
  t.match(outcomeOf('below'), { failedCount: 3, ignoredErrorCount: 1 });
});

t.test('where none may be missing there is no snapshot, and the first are named', async t => {
  const { message, details, ...refused } = outcomeOf('refused');
  t.match(refused, { code: 'SOURCE_INCOMPLETE', snapshotCount: 0 });
  t.match(message, /could not be stored, so nothing is: .*(EACCES|nowhere|leads)/);
  t.match(details, { failed: [{ path: /secret|closed|ruled/ }] });
  t.match(outcomeOf('passedOver'), { files: 3, failedCount: 0, ignoredErrorCount: 4 });
});
