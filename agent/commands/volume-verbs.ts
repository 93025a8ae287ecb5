// kubectl stevedore ls, cat and restore: those of the engine, for a volume of a backup in place of
// a snapshot of a repository that is named. The cluster is read, the repository too.

import assert from 'node:assert/strict';
import type { Engine, Job, OptionRow, Verb } from '#engine/cli/verb.ts';
import { cat as catSnapshot } from '#engine/cli/cat.ts';
import { ls as lsSnapshot } from '#engine/cli/ls.ts';
import { restore as restoreSnapshot } from '#engine/cli/restore.ts';
import { type OptionValues, usageError } from '#engine/cli/option-values.ts';
import { noProgress, progressLines } from '#engine/cli/progress.ts';
import type { ExitStatus } from '#engine/cli/exit-status.ts';
import { safeText } from '#engine/cli/terminal-text.ts';
import {
  type Cluster,
  type ClusterSession,
  type ClusterVerb,
  VELERO_NAMESPACE,
} from './cluster-verb.ts';
import { openLocation, repositoryPassword } from './cluster-repositories.ts';
import { listMoves } from './listed-moves.ts';
import { type BackedUpVolume, parseVolumePath, snapshotOf } from './snapshot-of-backup.ts';
import { givenNamespace, veleroNamespace } from './velero-namespace.ts';

const ACCESS = `It reads the Secrets of the storage location and of the repositories, so it takes \
a right to get these, and a way to the storage from where it runs.`;

interface VolumeVerbRow {
  readonly verb: Verb;
  readonly operands: string;
  readonly summary: string;
  readonly description: string;
  readonly examples: ClusterVerb['examples'];
}

const OWN_OPTIONS: readonly OptionRow[] = [VELERO_NAMESPACE];

function volumeVerb({ verb, description, ...row }: VolumeVerbRow): ClusterVerb {
  return Object.freeze({
    ...row,
    words: verb.words,
    description: `${description} ${ACCESS}`,
    options: [...OWN_OPTIONS, ...verb.options],
    prepare: ([backup = '', volume = '', ...rest], options, surroundings) => {
      const given = givenNamespace(options);
      const asked = parseVolumePath(volume);
      if (verb === catSnapshot && asked.path === '') {
        throw usageError(`'${volume}' names no file; give VOLUME:/PATH`);
      }
      const prepare = (id: string) =>
        verb.prepare(
          [asked.path === '' ? id : `${id}:${asked.path}`, ...rest],
          options,
          surroundings,
        );
      // What is wrong with the words is said before anything is asked.
      prepare('latest');
      return session =>
        session.withCluster(async cluster => {
          const namespace = veleroNamespace(given, session);
          const { signal, clock } = session;
          const parts = { nowMs: clock.now(), signal };
          const { moves } = await listMoves(cluster.kube, namespace, parts);
          const found = snapshotOf(moves, backup, asked);
          const work = prepare(found.snapshotId);
          return await runInRepository({ session, cluster, namespace, found, options, work });
        });
    },
  } satisfies ClusterVerb);
}

interface RepositoryRun {
  readonly session: ClusterSession;
  readonly cluster: Cluster;
  /** Velero's. */
  readonly namespace: string;
  readonly found: BackedUpVolume;
  readonly options: OptionValues;
  readonly work: Job;
}

async function runInRepository(run: RepositoryRun): Promise<ExitStatus> {
  const { session, work } = run;
  const { output, signal, clock, say } = session;
  const engine: Engine = await import('#engine/index.ts');
  return await work({
    ...{ engine, output, signal, nowMs: clock.now(), url: undefined, cache: undefined },
    hasBar: false,
    async withProgress(task) {
      const display = output.format === 'json' ? noProgress : progressLines(say, clock);
      try {
        return await task(display.update);
      } finally {
        display.stop();
      }
    },
    async withRepository({ isReadOnly, startsThread }, task) {
      assert.ok(isReadOnly, 'repositories of a cluster are read alone');
      await using repository = await openOfCluster(run, engine, startsThread);
      return await task(repository);
    },
    newRepository: () => Promise.reject(new Error('no verb for a cluster makes a repository')),
  });
}

async function openOfCluster(
  { session, cluster, namespace, found }: RepositoryRun,
  engine: Engine,
  startsThread: boolean | undefined,
) {
  const { signal, clock, environment, say } = session;
  const onWarning = ({ message }: Error) => say(`stevedore: warning: ${safeText(message)}\n`);
  const { kube } = cluster;
  const access = { kube, namespace, clock, environment, onWarning, signal };
  const password = await repositoryPassword(access);
  const storage = await openLocation(access, found.location, found.namespace);
  try {
    return await engine.openRepository({
      ...{ storage, isStorageOwned: true, password, isReadOnly: true, startsThread, clock },
      ...{ onWarning, signal },
      // The identity of Velero's own clients.
      owner: { user: 'default', host: 'default' },
    });
  } catch (error) {
    await storage.close();
    throw error;
  }
}

export const volumeLs = volumeVerb({
  verb: lsSnapshot,
  operands: '<backup> <volume>',
  summary: 'list what a backup has of a volume',
  description:
    'Lists the top of a volume, NAMESPACE/POD/VOLUME or NAMESPACE/CLAIM, as it is in a backup, ' +
    'or with :/PATH behind it a directory of it.',
  examples: [
    { command: 'kubectl stevedore ls daily-20261126 shop/db-0/data', text: 'the top of a volume' },
    {
      command: 'kubectl stevedore ls daily-20261126 shop/db-0/data:/conf --recursive',
      text: 'everything below a directory',
    },
  ],
});

export const volumeCat = volumeVerb({
  verb: catSnapshot,
  operands: '<backup> <volume:/path>',
  summary: 'write a file of a backup to standard output',
  description: 'Writes a file out of a volume as it is in a backup to standard output.',
  examples: [
    {
      command: 'kubectl stevedore cat daily-20261126 shop/db-0/data:/my.cnf',
      text: 'look at a file',
    },
  ],
});

export const volumeRestore = volumeVerb({
  verb: restoreSnapshot,
  operands: '<backup> <volume[:/path]> <target>',
  summary: 'restore a file or directory of a backup into a directory here',
  description:
    'Restores a volume of a backup, or a part of it, into a directory of this machine. Nothing ' +
    'of the cluster is changed; for a restore into the cluster there is velero restore create.',
  examples: [
    {
      command: 'kubectl stevedore restore daily-20261126 shop/db-0/data:/my.cnf ./my.cnf',
      text: 'one file',
    },
    {
      command: 'kubectl stevedore restore daily-20261126 shop/db-0/data ./data --no-owners',
      text: 'a whole volume, as somebody who is not root',
    },
  ],
});
