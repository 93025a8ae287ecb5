// The programs of the matrix, each told to keep as much as it can and to go on where it can.

import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { findProgram, type FoundProgram } from '#test/support/find-program.ts';

export interface Program {
  readonly name: string;
  readonly version: string;
  readonly told: readonly string[];
  readonly run: (places: Places) => Outcome;
}

export interface Places {
  readonly source: string;
  /** Exists and is empty; on the file system of the source. */
  readonly targets: string;
  /** For repositories and configurations; exists and is empty. */
  readonly scratch: string;
}

export interface Outcome {
  /** Where the root of the source came back. */
  readonly restored: string;
  /** All that the program said, in which what was not kept should be named. */
  readonly said: string;
  /** Paths that ours names, relative to the root. */
  readonly namedPaths: readonly string[];
}

const PASSWORD = 'only for the matrix';
const PROGRAM = fileURLToPath(new URL('../../agent/stevedore.js', import.meta.url));
const RUN_MS_MAX = 60_000;
const OUTPUT_BYTES_MAX = 64 << 20;
const SELINUX = '--selinux';

export function findPrograms(): Program[] {
  const kopia = findProgram('kopia', { variable: 'KOPIA_BIN', versionWord: '--version' });
  const restic = findProgram('restic', { variable: 'RESTIC_BIN', versionWord: 'version' });
  return [
    stevedoreProgram(),
    ...(kopia === undefined ? [] : [kopiaProgram(kopia)]),
    ...(restic === undefined ? [] : [resticProgram(restic)]),
  ];
}

interface Run {
  readonly status: number | null;
  readonly stdout: string;
  readonly said: string;
}

function run(program: string, words: readonly string[], environment: NodeJS.ProcessEnv): Run {
  const { status, stdout, stderr, error } = spawnSync(program, words, {
    encoding: 'utf8',
    env: { ...process.env, ...environment },
    timeout: RUN_MS_MAX,
    killSignal: 'SIGKILL',
    maxBuffer: OUTPUT_BYTES_MAX,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  if (error) throw new Error(`${program} ${words[0] ?? ''}: ${error.message}`);
  return { status, stdout, said: `${stdout}\n${stderr}\n` };
}

function stevedoreProgram(): Program {
  const help = ours(['help', 'restore'], {}).stdout;
  // Labels belong to the system that restores, so they come back on request alone.
  const more = help.includes(SELINUX) ? [SELINUX] : [];
  return {
    name: 'stevedore',
    version: ours(['--version'], {}).stdout.trim().split(' ').at(-1) ?? '',
    told: ['backup', ['restore', ...more].join(' ')],
    run: ({ source, targets, scratch }) => {
      const environment = {
        STEVEDORE_REPO: `file://${scratch}/repository`,
        STEVEDORE_PASSWORD: PASSWORD,
      };
      const restored = `${targets}/restored`;
      mustSucceed('repo create', ours(['repo', 'create'], environment));
      const backup = ours(['backup', source, '-o', 'json'], environment);
      const words = ['restore', 'latest', restored, '-o', 'json', ...more];
      const restore = ours(words, environment);
      const namedPaths = [...pathsOf(backup, source), ...pathsOf(restore, restored)];
      return { restored, said: backup.said + restore.said, namedPaths };
    },
  };
}

function ours(words: readonly string[], environment: NodeJS.ProcessEnv): Run {
  return run(process.execPath, [PROGRAM, ...words], environment);
}

function mustSucceed(what: string, { status, said }: Run): void {
  if (status !== 0) throw new Error(`${what} ended with ${status}: ${said}`);
}

/** Those of every list of our document whose members have a path. */
function pathsOf({ status, stdout, said }: Run, root: string): string[] {
  if (status !== 0 && status !== 3) throw new Error(`ended with ${status}: ${said}`);
  // Printed by ours.
  const document = JSON.parse(stdout) as Readonly<Record<string, unknown>>;
  const lists = Object.values(document).filter(value => Array.isArray(value));
  const paths = lists.flat().flatMap((member: unknown) => {
    const path = member !== null && typeof member === 'object' && 'path' in member && member.path;
    return typeof path === 'string' ? [path] : [];
  });
  return paths.map(path => {
    const relative = path.startsWith(root) ? path.slice(root.length) : path;
    return relative.replace(/^(\.?\/)+/, '') || '.';
  });
}

function kopiaProgram({ path: program, said: versionText }: FoundProgram): Program {
  const policy = [
    'policy',
    'set',
    '--global',
    '--ignore-file-errors=true',
    '--ignore-dir-errors=true',
    '--ignore-unknown-types=true',
  ];
  const restore = ['snapshot', 'restore', '--ignore-errors', '--write-sparse-files'];
  return {
    name: 'kopia',
    version: versionText.split(' ')[0] ?? '',
    told: [policy.join(' '), 'snapshot create', restore.join(' ')],
    run: ({ source, targets, scratch }) => {
      const environment = {
        KOPIA_PASSWORD: PASSWORD,
        KOPIA_CONFIG_PATH: `${scratch}/repository.config`,
        KOPIA_CACHE_DIRECTORY: `${scratch}/cache`,
        KOPIA_LOG_DIR: `${scratch}/log`,
        KOPIA_CHECK_FOR_UPDATES: 'false',
      };
      const call = (...words: readonly string[]) => run(program, words, environment);
      mkdirSync(`${scratch}/repository`);
      const create = ['repository', 'create', 'filesystem', '--path', `${scratch}/repository`];
      mustSucceed('repository create', call(...create));
      mustSucceed('policy set', call(...policy));
      const backup = call('snapshot', 'create', '--no-progress', source);
      const listed = call('snapshot', 'list', '--all', '--incomplete', '--json');
      // Printed by kopia.
      const snapshots = JSON.parse(listed.stdout) as readonly { readonly id: string }[];
      const restored = `${targets}/restored`;
      const { said } = call(...restore, snapshots.at(-1)?.id ?? '', restored);
      return { restored, said: backup.said + said, namedPaths: [] };
    },
  };
}

function resticProgram({ path: program, said: versionText }: FoundProgram): Program {
  return {
    name: 'restic',
    version: versionText.split(' ')[1] ?? '',
    told: ['backup', 'restore latest --sparse'],
    run: ({ source, targets, scratch }) => {
      const environment = {
        RESTIC_PASSWORD: PASSWORD,
        RESTIC_REPOSITORY: `${scratch}/repository`,
        RESTIC_CACHE_DIR: `${scratch}/cache`,
      };
      const call = (...words: readonly string[]) => run(program, words, environment);
      mustSucceed('init', call('init'));
      const backup = call('backup', source);
      const { said } = call('restore', 'latest', '--target', targets, '--sparse');
      return { restored: `${targets}${source}`, said: backup.said + said, namedPaths: [] };
    },
  };
}
