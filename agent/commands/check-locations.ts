// Checks about where backups are: each storage location is listed and read from, as an agent would,
// and repositories and their password looked at. Nothing is written, so whether a location may be
// written to is for the server to say, which does so in its status.

import { setTimeout as delay } from 'node:timers/promises';
import { EngineError, isEngineError, messageOf } from '#engine/base/errors.ts';
import { counted } from '#engine/cli/quantity.ts';
import type { Storage } from '#engine/index.ts';
import { planLocation } from '#agent/repositories/location-plan.ts';
import {
  type BackupRepository,
  REPOSITORIES,
  STORAGE_LOCATIONS,
  type StorageLocation,
} from '#agent/repositories/repository-objects.ts';
import {
  openLocation,
  PASSWORD_SECRET,
  type RepositoryAccess,
  repositoryPassword,
} from './cluster-repositories.ts';
import { failure, fine, type Finding, howToSee, isInPod, lookedAt, warning } from './finding.ts';
import { listIfKnown } from './listed-moves.ts';

/** kopia's own file, in every repository (kopia repo/format/format_blob.go). */
const FORMAT_BLOB = 'kopia.repository';
/** A storage is tried again for 15 minutes elsewhere; here somebody waits. */
const ANSWER_MS_MAX = 15_000;

export async function checkPassword(access: RepositoryAccess): Promise<readonly Finding[]> {
  const check = 'repository password';
  const { name, key } = PASSWORD_SECRET;
  try {
    await repositoryPassword(access);
    return [fine(check, `Secret ${name} has ${key}`)];
  } catch (error) {
    if (!isEngineError(error, 'SECRET_NOT_FOUND', 'SECRET_KEY_MISSING')) throw error;
    return [failure(check, messageOf(error), 'the Velero server makes it at its start')];
  }
}

export async function checkLocations(access: RepositoryAccess): Promise<readonly Finding[]> {
  const { kube, namespace, signal } = access;
  const repositories = await listIfKnown<BackupRepository>(kube, REPOSITORIES, namespace, signal);
  const { locations, isPart } = await locationsOf(access, repositories);
  if (locations.length === 0 && !isPart) {
    const advice = 'velero backup-location create';
    return [failure('storage locations', `there is none in namespace ${namespace}`, advice)];
  }
  const findings: Finding[] = [];
  if (isPart) {
    const text = 'they may not be listed; what repositories name and default were looked at';
    findings.push(warning('storage locations', text, howToSee(access.environment)));
  }
  for (const location of locations) {
    const { name } = location.metadata;
    const check = `storage location ${name}`;
    const repository = repositories.find(({ spec }) => spec?.backupStorageLocation === name);
    const look = () => checkLocation(access, location, repository?.spec?.volumeNamespace);
    findings.push(...(await lookedAt(check, look, howToSee(access.environment))));
  }
  return [...findings, ...repositoryFindings(repositories)];
}

/** An agent may get one by its name, and list repositories, which name theirs. */
async function locationsOf(access: RepositoryAccess, repositories: readonly BackupRepository[]) {
  const { kube, namespace, signal } = access;
  try {
    const locations = await listIfKnown<StorageLocation>(
      kube,
      STORAGE_LOCATIONS,
      namespace,
      signal,
    );
    return { locations, isPart: false };
  } catch (error) {
    if (!isEngineError(error, 'KUBE_FORBIDDEN')) throw error;
  }
  const names = repositories.map(({ spec }) => spec?.backupStorageLocation ?? '');
  const locations: StorageLocation[] = [];
  for (const name of new Set(['default', ...names])) {
    if (name === '') continue;
    try {
      locations.push(await kube.get(STORAGE_LOCATIONS, { namespace, name }, { signal }));
    } catch (error) {
      if (!isEngineError(error, 'KUBE_NOT_FOUND')) throw error;
    }
  }
  return { locations, isPart: true };
}

async function checkLocation(
  access: RepositoryAccess,
  location: StorageLocation,
  volumeNamespace: string | undefined,
): Promise<readonly Finding[]> {
  const check = `storage location ${location.metadata.name}`;
  const { phase = '', message = '' } = location.status ?? {};
  const plan = planLocation(location, volumeNamespace ?? 'velero');
  const notices = plan.notices.map(each => warning(check, each, 'nothing has to be done; know it'));
  if (phase === '') {
    const advice = 'wait a minute, or look at the log of the Velero server';
    notices.push(warning(check, 'the server has not looked at it yet', advice));
  } else if (phase !== 'Available') {
    const why = message === '' ? '' : `: ${message}`;
    const text = `the server says ${phase}${why}`;
    notices.push(failure(check, text, 'velero backup-location get; see the log of the server'));
  }
  const inPod = isInPod(access.environment);
  const isOwnIdentity = plan.kind === 'bucket' && plan.credential === undefined;
  const exec = 'kubectl -n NAMESPACE exec ds/node-agent -- stevedore preflight';
  if (isOwnIdentity && !inPod) {
    const text = 'it names no credential, so the agent uses its own identity, not seen from here';
    return [...notices, warning(check, text, exec.replace('NAMESPACE', access.namespace))];
  }
  if (plan.kind === 'directory' && !inPod) {
    const text = `it is the directory ${plan.directory} of nodes, which is not seen from here`;
    return [...notices, warning(check, text, exec.replace('NAMESPACE', access.namespace))];
  }
  try {
    return [...notices, fine(check, await tryOut(access, location, volumeNamespace))];
  } catch (error) {
    const text = `cannot be read with the identity of an agent: ${messageOf(error)}`;
    if (isEngineError(error, 'STORAGE_UNAVAILABLE', 'STORAGE_TIMEOUT') && !inPod) {
      const advice = `it may be reachable within the cluster alone: ${exec}`;
      return [...notices, warning(check, text, advice.replace('NAMESPACE', access.namespace))];
    }
    if (isEngineError(error, 'ABORTED', 'KUBE_UNAVAILABLE', 'KUBE_FORBIDDEN')) throw error;
    const advice = 'look at its credential, bucket, region and s3Url, and at the bucket policy';
    return [...notices, failure(check, text, advice)];
  }
}

async function tryOut(
  access: RepositoryAccess,
  location: StorageLocation,
  volumeNamespace: string | undefined,
): Promise<string> {
  const storage = await openLocation(access, location, volumeNamespace ?? 'velero');
  const done = new AbortController();
  const signal = AbortSignal.any([access.signal, done.signal]);
  const late = delay(ANSWER_MS_MAX, 'late' as const, { signal }).catch(() => 'over' as const);
  try {
    const tried = listAndGet(storage, volumeNamespace, signal);
    const first = await Promise.race([tried, late]);
    if (first !== 'late') return await tried;
    tried.catch(() => {});
    return await Promise.reject(noAnswer());
  } finally {
    done.abort();
    await storage.close();
  }
}

function noAnswer() {
  const text = `no answer within ${ANSWER_MS_MAX / 1000} s`;
  return new EngineError('STORAGE_TIMEOUT', text);
}

async function listAndGet(
  storage: Storage,
  volumeNamespace: string | undefined,
  signal: AbortSignal,
): Promise<string> {
  for await (const _ of storage.list('kopia.', { signal })) break;
  if (volumeNamespace === undefined) return 'listed; no repository is there yet to read from';
  await storage.get(FORMAT_BLOB, { signal });
  return `listed, and the repository of ${volumeNamespace} read; writing was not tried`;
}

function repositoryFindings(repositories: readonly BackupRepository[]): Finding[] {
  const check = 'repositories';
  const notReady = repositories.filter(({ status }) => status?.phase === 'NotReady');
  if (notReady.length === 0) {
    return [fine(check, `${counted(repositories.length, 'repository', 'repositories')}, none bad`)];
  }
  return notReady.map(({ metadata, status }) => {
    const text = `${metadata.name} is not ready: ${status?.message || 'the server says not why'}`;
    return warning(check, text, 'velero repo get; moves of this namespace fail until it is');
  });
}
