// Values out of Secrets. Messages name Secret and key and hold nothing of a value.

import { EngineError, isEngineError } from '#engine/base/errors.ts';
import type { KubeClient } from '#kube/kube-client.ts';
import { SECRETS } from '#kube/core-resources.ts';
import type { Secret, SecretKey } from './repository-objects.ts';

export interface SecretReader {
  readonly kube: Pick<KubeClient, 'get'>;
  /** Velero's; all Secrets that its objects name are there. */
  readonly namespace: string;
}

/**
 * @param purpose `the password of the repositories`, for messages
 * @throws SECRET_NOT_FOUND, SECRET_KEY_MISSING, KUBE_FORBIDDEN, …
 */
export async function readSecret(
  { kube, namespace }: SecretReader,
  { name, key }: SecretKey,
  purpose: string,
  signal?: AbortSignal,
): Promise<string> {
  const where = `Secret ${namespace}/${name}`;
  const text = `cannot read ${purpose} from ${where}`;
  let secret: Secret;
  try {
    secret = await kube.get<Secret>(SECRETS, { namespace, name }, { signal });
  } catch (error) {
    if (!isEngineError(error, 'KUBE_NOT_FOUND')) throw error;
    throw new EngineError('SECRET_NOT_FOUND', `${text}: it is not there; create it`);
  }
  const value = Buffer.from(secret.data?.[key] ?? '', 'base64').toString('utf8');
  if (value.trim() !== '') return value;
  const keys = Object.keys(secret.data ?? {}).join(', ') || 'none';
  const state = secret.data?.[key] === undefined ? 'is not there' : 'is empty';
  const message = `${text}: its key ${JSON.stringify(key)} ${state} (keys: ${keys})`;
  throw new EngineError('SECRET_KEY_MISSING', `${message}; add it`);
}
