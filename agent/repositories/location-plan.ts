// What a BackupStorageLocation comes to for the engine. Pure: Secrets and files that it names are
// still names. Keys are those of velero-plugin-for-aws 1.14 (object_store.go); the repository lies
// under `<prefix>/kopia/<namespace>/`, where the server, stock agents and maintenance look for it.

import { EngineError } from '#engine/base/errors.ts';
import type { S3Checksum, S3Encryption, S3Options } from '#engine/index.ts';
import type { SecretKey, StorageLocation } from './repository-objects.ts';

export type LocationPlan = DirectoryPlan | BucketPlan;

export interface DirectoryPlan {
  readonly kind: 'directory';
  readonly directory: string;
  readonly isReadOnly: boolean;
  readonly notices: readonly string[];
}

export interface BucketPlan {
  readonly kind: 'bucket';
  readonly s3: Omit<S3Options, 'credentials' | 'profile'>;
  readonly profile: string | undefined;
  /** Where keys are; the first that is there counts, and then the pod's own identity. */
  readonly credential: SecretKey | undefined;
  readonly credentialsFile: string | undefined;
  readonly caSecret: SecretKey | undefined;
  readonly isReadOnly: boolean;
  /** What of the configuration has no effect on the data of volumes. */
  readonly notices: readonly string[];
}

type Config = Readonly<Record<string, string>>;

/** @throws STORAGE_LOCATION_INVALID */
export function planLocation(location: StorageLocation, volumeNamespace: string): LocationPlan {
  const { spec = {} } = location;
  const fail = (why: string): EngineError => {
    const text = `cannot use backup storage location ${location.metadata.name}: ${why}`;
    return new EngineError('STORAGE_LOCATION_INVALID', text);
  };
  const { config = {}, provider = '', accessMode } = spec;
  const isReadOnly = accessMode === 'ReadOnly';
  const fullProvider = provider.includes('/') ? provider : `velero.io/${provider}`;
  const folder = folderOf(spec.objectStorage?.prefix ?? '', volumeNamespace, fail);
  if (fullProvider === 'velero.io/fs') {
    const root = config.fspath ?? '';
    if (!root.startsWith('/')) throw fail('config.fspath has to be an absolute path');
    return { kind: 'directory', directory: `${root}/${folder}`, isReadOnly, notices: [] };
  }
  requireBuckets(fullProvider, config, fail);
  return { ...planBucket(spec, folder, fail), isReadOnly, notices: noticesOf(config) };
}

const PROVIDERS = 'aws (S3, and with config.s3Url whatever speaks its language) and fs';
const INSTEAD = "use a location of one of these, or Velero's own node agent for this one";

type Fail = (why: string) => EngineError;

function requireBuckets(provider: string, config: Config, fail: Fail): void {
  const [, name = ''] = /^velero\.io\/(azure|gcp)$/.exec(provider) ?? [];
  if (name !== '') {
    throw fail(`provider ${name} is not supported yet; there are ${PROVIDERS}: ${INSTEAD}`);
  }
  if (provider === 'velero.io/aws' || (config.s3Url ?? '') !== '') return;
  const there = `there are ${PROVIDERS}: ${INSTEAD}`;
  throw fail(`provider ${provider} is not known and there is no config.s3Url; ${there}`);
}

function planBucket(
  spec: NonNullable<StorageLocation['spec']>,
  folder: string,
  fail: Fail,
): Omit<BucketPlan, 'isReadOnly' | 'notices'> {
  const { config = {}, objectStorage = {}, credential } = spec;
  const { bucket = '', caCert, caCertRef } = objectStorage;
  if (bucket === '') throw fail('objectStorage.bucket is empty');
  if (caCert && caCertRef) throw fail('caCert and caCertRef exclude each other');
  const s3 = {
    bucket,
    prefix: `${folder}/`,
    endpoint: endpointOf(config.s3Url, fail),
    region: config.region || undefined,
    pathStyle: switchOf(config, 's3ForcePathStyle', fail),
    insecureSkipTlsVerify: switchOf(config, 'insecureSkipTLSVerify', fail),
    caPem: caCert && pemOf(Buffer.from(caCert, 'base64').toString('utf8'), fail),
    encryption: encryptionOf(config, fail),
    tagging: config.tagging || undefined,
    checksum: checksumOf(config),
  };
  const { profile, credentialsFile } = config;
  return {
    kind: 'bucket',
    s3,
    profile: profile || undefined,
    credential,
    credentialsFile: credentialsFile || undefined,
    caSecret: caCertRef,
  };
}

/** @throws STORAGE_LOCATION_INVALID by `fail` */
export function pemOf(text: string, fail: Fail): string {
  if (text.includes('-----BEGIN CERTIFICATE-----')) return text;
  throw fail('its certificate of an authority (caCert) is no PEM text');
}

function folderOf(prefix: string, volumeNamespace: string, fail: Fail): string {
  const names = prefix.split('/').filter(name => name !== '');
  if (names.some(name => name === '.' || name === '..')) throw fail('prefix holds "." or ".."');
  if (!/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/.test(volumeNamespace)) {
    throw fail(`${JSON.stringify(volumeNamespace)} is no namespace`);
  }
  return [...names, 'kopia', volumeNamespace].join('/');
}

function endpointOf(text: string | undefined, fail: Fail): string | undefined {
  if (text === undefined || text === '') return undefined;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isFine = url?.protocol === 'http:' || url?.protocol === 'https:';
  if (!url || !isFine || url.search !== '' || url.hash !== '') {
    throw fail('config.s3Url has to be http://HOST[:PORT] or https://HOST[:PORT]');
  }
  if (url.username !== '' || url.password !== '') {
    throw fail('config.s3Url must not hold a user or password; use spec.credential');
  }
  return url.href.replace(/\/$/, '');
}

/** As Go's strconv.ParseBool reads it, which the plugin uses. */
function switchOf(config: Config, name: string, fail: Fail): boolean | undefined {
  const value = config[name] ?? '';
  if (value === '') return undefined;
  if (/^(1|t|true)$/i.test(value)) return true;
  if (/^(0|f|false)$/i.test(value)) return false;
  throw fail(`config.${name} has to be "true" or "false"`);
}

/**
 * Readers need nothing but their rights for these, so that stock agents and maintenance can read
 * what we write. With a customer's key they would need that, and have no setting for it.
 */
function encryptionOf(config: Config, fail: Fail): S3Encryption | undefined {
  const { kmsKeyId = '', serverSideEncryption: kind = '' } = config;
  if (kmsKeyId !== '') return { kind: 'aws:kms', keyId: kmsKeyId };
  if (kind === '') return undefined;
  if (kind === 'AES256' || kind === 'aws:kms') return { kind };
  throw fail('config.serverSideEncryption has to be AES256 or aws:kms');
}

/**
 * Empty is for the plugin, whose newer checksums stand behind the body, which many servers do not
 * understand. Those of the engine stand in front of it, and it falls back to Content-MD5 by itself
 * where a server does not confirm them.
 */
function checksumOf({ checksumAlgorithm: name = '' }: Config): S3Checksum | undefined {
  return CHECKSUMS.get(name);
}

/** As the plugin calls them. */
const CHECKSUMS: ReadonlyMap<string, S3Checksum> = new Map([
  ['CRC32', 'crc32'],
  ['CRC32C', 'crc32c'],
  ['SHA1', 'sha1'],
  ['SHA256', 'sha256'],
]);

/** On the data of volumes; whoever sets it may expect something. */
const WITHOUT_EFFECT: Config = Object.freeze({
  publicUrl: "links for Velero's command are the server's, volumes go through s3Url",
  enableSharedConfig: 'profile files of the agent are read wherever there are some',
});

function noticesOf(config: Config): string[] {
  const notices: string[] = [];
  for (const name of ['customerKeyEncryptionFile', 'customerKeyEncryptionSecret']) {
    if ((config[name] ?? '') === '') continue;
    notices.push(
      `config.${name} is not applied to the data of volumes, as with Velero's own agent: ` +
        'maintenance and restores by it could not read them',
    );
  }
  for (const [name, why] of Object.entries(WITHOUT_EFFECT)) {
    if ((config[name] ?? '') !== '') notices.push(`config.${name} has no effect: ${why}`);
  }
  const { checksumAlgorithm = '' } = config;
  if (checksumAlgorithm !== '' && !CHECKSUMS.has(checksumAlgorithm)) {
    const known = [...CHECKSUMS.keys()].join(', ');
    notices.push(
      `config.checksumAlgorithm ${checksumAlgorithm} has no effect on the data of volumes, which ` +
        `has CRC32: ${known} are known`,
    );
  }
  if (config.signatureVersion !== undefined && config.signatureVersion !== '4') {
    notices.push('config.signatureVersion has no effect: requests are signed with version 4');
  }
  return notices;
}
