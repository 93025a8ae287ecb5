// The programs that are compared, each told to do the same as the others: BLAKE2b-256 or what it
// has instead, AES-256, no compression of files, its own choice of parallelism, no work behind its
// back.

import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findProgram, type FoundProgram } from '#test/support/find-program.ts';
import { runCommand, type Command } from './measured-run.ts';

export interface Contender {
  readonly name: string;
  readonly version: string;
  /** For people: what it was told besides paths. */
  readonly told: readonly string[];
  /** Ours on one thread is only asked for a first backup. */
  readonly isFirstBackupOnly?: boolean;
  readonly client: (place: ClientPlace) => Client;
}

/** Empty directories that are removed afterwards. */
export interface ClientPlace {
  readonly repository: string;
  /** Configuration, caches, logs. */
  readonly scratch: string;
}

export interface Client {
  readonly create: readonly Command[];
  readonly backup: (source: string) => Command;
  /** Prints what `restore` needs to know; absent where that is nothing. */
  readonly list?: Command;
  /** Into an empty directory. */
  readonly restore: (request: RestoreRequest) => Command;
  /** Over a tree of which little is different; by all means that the program has. */
  readonly restoreOver: (request: RestoreRequest) => Command;
  /** For sources that are too large to be restored. */
  readonly assertHolds?: (source: { readonly files: number }) => Promise<void>;
}

export interface RestoreRequest {
  /** What was backed up. */
  readonly source: string;
  readonly target: string;
  /** What `list` printed. */
  readonly listed: string;
}

const PASSWORD = 'only for the benchmark';
const PROGRAM = fileURLToPath(new URL('../../agent/stevedore.js', import.meta.url));
const BUILD = fileURLToPath(new URL('../../agent/build.js', import.meta.url));
const HASH = 'BLAKE2B-256-128';
const CIPHER = 'AES256-GCM-HMAC-SHA256';
const SPLITTER = 'DYNAMIC-4M-BUZHASH';
const OVER = ['--overwrite', 'if-different', '--delta'];

/** Ours on all cores and on one thread, then whoever else is there. */
export function findContenders(): Contender[] {
  const kopia = findProgram('kopia', { variable: 'KOPIA_BIN', versionWord: '--version' });
  const restic = findProgram('restic', { variable: 'RESTIC_BIN', versionWord: 'version' });
  // What is installed is what is measured.
  execFileSync(process.execPath, [BUILD]);
  return [
    stevedore('stevedore', []),
    { ...stevedore('stevedore, 1 thread', ['--threads', '1']), isFirstBackupOnly: true },
    ...(kopia === undefined ? [] : [kopiaContender(kopia)]),
    ...(restic === undefined ? [] : [resticContender(restic)]),
  ];
}

function stevedore(name: string, more: readonly string[]): Contender {
  const create = ['--hash', HASH, '--encryption', CIPHER, '--splitter', SPLITTER];
  const run = [process.execPath, PROGRAM];
  return {
    name,
    version: lastWord(execFileSync(process.execPath, [PROGRAM, '--version'], { encoding: 'utf8' })),
    told: [
      `repo create ${create.join(' ')}`,
      ['backup --compression none --quiet', ...more].join(' '),
      ...(more.length === 0
        ? ['restore latest --quiet', `over what is there: ${OVER.join(' ')}`]
        : []),
    ],
    client: ({ repository }) => {
      const environment = {
        STEVEDORE_REPO: `file://${repository}`,
        STEVEDORE_PASSWORD: PASSWORD,
      };
      const command = (...words: string[]) => ({
        words: [...run, ...words, '--quiet', ...more],
        environment,
      });
      return {
        create: [command('repo', 'create', ...create)],
        backup: source => command('backup', source, '--compression', 'none'),
        restore: ({ target }) => command('restore', 'latest', target),
        restoreOver: ({ target }) => command('restore', 'latest', target, ...OVER),
        assertHolds: async ({ files }) => {
          const listed = await runCommand(command('snapshots', '-o', 'json'));
          // Printed by our `snapshots`, oldest first.
          const snapshots = JSON.parse(listed) as readonly { readonly files: number }[];
          const held = snapshots.at(-1)?.files ?? 0;
          if (held !== files) throw new Error(`the snapshot has ${held} files of ${files}`);
        },
      };
    },
  };
}

function kopiaContender({ path: program, said }: FoundProgram): Contender {
  const create = [
    `--block-hash=${HASH}`,
    `--encryption=${CIPHER}`,
    `--object-splitter=${SPLITTER}`,
  ];
  const policy = ['policy', 'set', '--global', '--compression=none'];
  const restore = ['snapshot', 'restore', '--no-progress'];
  const maintenance = ['maintenance', 'set', '--enable-quick=false', '--enable-full=false'];
  return {
    name: 'kopia',
    version: said.split(' ')[0] ?? '',
    told: [
      `repository create filesystem ${create.join(' ')}`,
      policy.join(' '),
      maintenance.join(' '),
      'snapshot create --no-progress',
      'snapshot restore --no-progress',
      'over what is there: --skip-existing (rewrites files of another size or time, whole)',
    ],
    client: ({ repository, scratch }) => {
      const environment = {
        KOPIA_PASSWORD: PASSWORD,
        KOPIA_CONFIG_PATH: join(scratch, 'repository.config'),
        KOPIA_CACHE_DIRECTORY: join(scratch, 'cache'),
        KOPIA_LOG_DIR: join(scratch, 'log'),
        KOPIA_CHECK_FOR_UPDATES: 'false',
      };
      const command = (...words: string[]) => ({ words: [program, ...words], environment });
      return {
        create: [
          command('repository', 'create', 'filesystem', '--path', repository, ...create),
          command(...policy),
          command(...maintenance),
        ],
        backup: source => command('snapshot', 'create', '--no-progress', source),
        list: command('snapshot', 'list', '--all', '--json'),
        restore: ({ target, listed }) => command(...restore, newestSnapshot(listed), target),
        restoreOver: ({ target, listed }) =>
          command(...restore, '--skip-existing', newestSnapshot(listed), target),
      };
    },
  };
}

function newestSnapshot(listed: string): string {
  // Printed by `kopia snapshot list --json`, oldest first.
  const snapshots = JSON.parse(listed) as readonly { readonly id: string }[];
  return snapshots.at(-1)?.id ?? '';
}

function resticContender({ path: program, said }: FoundProgram): Contender {
  return {
    name: 'restic',
    version: said.split(' ')[1] ?? '',
    told: [
      'init',
      'backup --compression off --quiet',
      'restore latest:SOURCE --quiet',
      'over what is there: --overwrite if-changed (reads files of another size or time, and ' +
        'writes the parts that differ)',
    ],
    client: ({ repository, scratch }) => {
      const environment = {
        RESTIC_PASSWORD: PASSWORD,
        RESTIC_REPOSITORY: repository,
        RESTIC_CACHE_DIR: join(scratch, 'cache'),
      };
      const command = (...words: string[]) => ({
        words: [program, ...words, '--quiet'],
        environment,
      });
      return {
        create: [command('init')],
        backup: source => command('backup', '--compression', 'off', source),
        // Behind the colon, or the source's whole path would be made below the target.
        restore: ({ source, target }) => command('restore', `latest:${source}`, '--target', target),
        restoreOver: ({ source, target }) =>
          command('restore', `latest:${source}`, '--target', target, '--overwrite', 'if-changed'),
      };
    },
  };
}

function lastWord(text: string): string {
  return text.trim().split(' ').at(-1) ?? '';
}
