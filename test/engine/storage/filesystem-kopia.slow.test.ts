// The real kopia and we see the same blobs in one directory, in its default layout and a flat one.
// Skipped where there is no kopia (KOPIA_BIN or on the PATH).
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import t from 'tap';
import { openFilesystem } from '#engine/storage/filesystem.ts';
import { bytes, ids } from './storage-asserts.ts';

const places = (process.env.PATH ?? '').split(delimiter).filter(Boolean);
const program = [process.env.KOPIA_BIN ?? '', ...places.map(place => join(place, 'kopia'))].find(
  path => path !== '' && existsSync(path),
);
const skip = program === undefined ? 'no kopia: set KOPIA_BIN or put it on the PATH' : undefined;
if (skip) t.comment(`skipped: ${skip}`);

for (const [name, flags] of Object.entries({ default: [], flat: ['--flat'] })) {
  t.test(`kopia and we agree on a ${name} directory`, { skip }, async t => {
    const directory = t.testdir({ source: { file: 'some text' } });
    const root = `${directory}/repo`;
    const kopia = (...call: string[]): string =>
      execFileSync(program ?? '', call, {
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'pipe'],
        env: {
          ...process.env,
          KOPIA_CONFIG_PATH: `${directory}/config`,
          KOPIA_CACHE_DIRECTORY: `${directory}/cache`,
          KOPIA_LOG_DIR: `${directory}/log`,
          KOPIA_CHECK_FOR_UPDATES: 'false',
          KOPIA_PASSWORD: 'password',
        },
      });
    const namesOf = (listing: string): string[] =>
      listing
        .split('\n')
        .map(line => line.split(' ')[0] ?? '')
        .filter(Boolean)
        .sort();
    kopia('repository', 'create', 'filesystem', '--path', root, ...flags);
    kopia('snapshot', 'create', `${directory}/source`);
    const storage = await openFilesystem(root);
    const seen = namesOf(kopia('blob', 'list'));
    // Each run of kopia leaves a log behind.
    const isNoLog = (id: string): boolean => !id.startsWith('_log');
    t.same((await ids(storage, '')).filter(isNoLog), seen.filter(isNoLog));
    const pack = seen.find(id => id.startsWith('p')) ?? '';
    const shown = execFileSync('cat', [storage.localPath(pack)]);
    t.ok(shown.equals(await storage.get(pack)));
    const ours = 'z0123456789abcdef0123456789abcdef';
    await storage.put(ours, [bytes('written by us')]);
    t.ok(namesOf(kopia('blob', 'list')).includes(ours));
    t.equal(kopia('blob', 'show', ours), 'written by us');
    await storage.delete(ours);
    t.notOk(namesOf(kopia('blob', 'list')).includes(ours));
    const own = await openFilesystem(`${directory}/own`, {
      create: true,
      shards: flags.length > 0 ? [] : undefined,
    });
    for (const id of await ids(storage, '')) await own.put(id, [await storage.get(id)]);
    kopia('repository', 'connect', 'filesystem', '--path', `${directory}/own`);
    t.match(kopia('snapshot', 'verify', '--verify-files-percent=100', '--json'), /\{|^$/);
    t.match(kopia('snapshot', 'list', '--all', '--json'), /"rootEntry"/);
  });
}
