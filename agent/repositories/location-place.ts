// From the plan of a storage location to a place that the engine opens: certificates and keys are
// looked up here.

import { readFile } from 'node:fs/promises';
import type { Clock } from '#engine/base/clock.ts';
import { EngineError, systemCodeOf } from '#engine/base/errors.ts';
import type { S3Credentials, S3CredentialsSource, StoragePlace } from '#engine/index.ts';
import { keysOfProfile } from './credentials-file.ts';
import { type BucketPlan, type LocationPlan, pemOf } from './location-plan.ts';
import { renewedCredentials } from './renewed-credentials.ts';
import { readSecret, type SecretReader } from './secrets.ts';

export interface PlaceParts extends SecretReader {
  readonly clock: Clock;
  /** For locations that name no credential; Velero mounts `/credentials/cloud`. */
  readonly credentialsFile?: string;
  readonly onWarning: (warning: EngineError) => void;
  /** Told of each key before it is used. */
  readonly onSecret?: (text: string) => void;
}

/** The plan with the text of its certificates, which may be in a Secret. @throws SECRET_… */
export async function withCertificates(
  parts: SecretReader,
  plan: LocationPlan,
  signal?: AbortSignal,
): Promise<LocationPlan> {
  if (plan.kind !== 'bucket' || plan.caSecret === undefined) return plan;
  const { name, key } = plan.caSecret;
  const text = await readSecret(parts, plan.caSecret, 'certificates', signal);
  const fail = (): EngineError => {
    const where = `key ${key} of Secret ${parts.namespace}/${name}`;
    return new EngineError(
      'SECRET_KEY_MISSING',
      `cannot use certificates: ${where} is no PEM text`,
    );
  };
  return { ...plan, s3: { ...plan.s3, caPem: pemOf(text, fail) } };
}

/** @throws SECRET_NOT_FOUND, SECRET_KEY_MISSING, STORAGE_CREDENTIALS_MISSING */
export async function placeOf(parts: PlaceParts, plan: LocationPlan): Promise<StoragePlace> {
  if (plan.kind === 'directory') return { scheme: 'file', directory: plan.directory };
  const credentials = await credentialsOf(parts, plan);
  // Its own words for what is missing, before the SDK has some.
  await credentials?.();
  return { scheme: 's3', s3: { ...plan.s3, profile: plan.profile, credentials } };
}

/** In messages. */
const KEYS = 'the keys of the storage location';

/** Undefined where the SDK is to look: environment, web identity, the role of pod or instance. */
async function credentialsOf(
  parts: PlaceParts,
  plan: BucketPlan,
): Promise<S3CredentialsSource | undefined> {
  const { credential, profile = 'default' } = plan;
  const { clock } = parts;
  const onFailure = (cause: unknown) => parts.onWarning(notRenewed(cause));
  if (credential) {
    const read = async (signal?: AbortSignal) => {
      const text = await readSecret(parts, credential, KEYS, signal);
      const where = `key ${credential.key} of Secret ${parts.namespace}/${credential.name}`;
      const keys = keysOfProfile(text, profile) ?? noKeys('SECRET_KEY_MISSING', where, profile);
      return noted(parts, keys);
    };
    return renewedCredentials({ clock, read, onFailure });
  }
  const path = plan.credentialsFile ?? parts.credentialsFile;
  const text = path === undefined ? undefined : await readIfThere(path);
  if (path === undefined || text === undefined) return undefined;
  // A profile of a role is for the SDK, which looks into the file that the environment names.
  if (!keysOfProfile(text, profile) && path === process.env.AWS_SHARED_CREDENTIALS_FILE) {
    return undefined;
  }
  const read = async () => {
    const keys = keysOfProfile(await readFile(path, 'utf8'), profile);
    return noted(parts, keys ?? noKeys('STORAGE_CREDENTIALS_MISSING', path, profile));
  };
  return renewedCredentials({ clock, read, onFailure });
}

function noted({ onSecret }: PlaceParts, keys: S3Credentials): S3Credentials {
  for (const text of Object.values(keys)) if (typeof text === 'string') onSecret?.(text);
  return keys;
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (systemCodeOf(error) === 'ENOENT') return undefined;
    const text = `cannot read credentials from ${path}: ${systemCodeOf(error) ?? String(error)}`;
    throw new EngineError('STORAGE_CREDENTIALS_MISSING', text, { cause: error });
  }
}

function noKeys(
  code: 'SECRET_KEY_MISSING' | 'STORAGE_CREDENTIALS_MISSING',
  where: string,
  profile: string,
): S3Credentials {
  const text = `cannot find keys in ${where}: profile [${profile}] is not there or has no`;
  const names = 'aws_access_key_id and aws_secret_access_key';
  const advice = "add them; for a role leave the credential out and use the pod's own identity";
  throw new EngineError(code, `${text} ${names}; ${advice}`);
}

function notRenewed(cause: unknown): EngineError {
  const error = cause instanceof EngineError ? cause : undefined;
  const why = error?.message ?? String(cause);
  const text = `going on with the last keys of the storage location: ${why}`;
  return new EngineError(error?.code ?? 'STORAGE_CREDENTIALS_MISSING', text, { cause });
}
