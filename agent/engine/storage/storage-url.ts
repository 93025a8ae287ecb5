// What a person writes to name a storage, and what it means. Pure; open-storage.ts does the rest.
//
//   /dir                     a directory, taken as it stands
//   file:///dir?shards=1,3   the same as a URL, percent-encoded
//   s3://bucket/a/b?…        keys begin with `a/b/`, as Velero has it; s3://bucket for no prefix
//
// Keys and passwords have no place here: command lines and error messages are read by many.

import { resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { EngineError } from '#engine/base/errors.ts';
import { S3_CHECKSUMS } from './s3-checksum.ts';
import type { S3Encryption, S3Options } from './s3-options.ts';

export interface StorageUrlParameter {
  readonly scheme: 'file' | 's3';
  readonly name: string;
  /** What may be written, for help. */
  readonly value: string;
  readonly meaning: string;
}

const row = (
  scheme: StorageUrlParameter['scheme'],
  name: string,
  value: string,
  meaning: string,
): StorageUrlParameter => Object.freeze({ scheme, name, value, meaning });

/** Every parameter there is; the help of the command and the documentation print this. */
export const STORAGE_URL_PARAMETERS: readonly StorageUrlParameter[] = Object.freeze([
  row('file', 'shards', 'N,N… or empty', 'directory levels of a new storage (1,3); empty for none'),
  row('s3', 'endpoint', 'https://HOST[:PORT]', "the server (Amazon's for the region)"),
  row('s3', 'region', 'NAME', 'region (AWS_REGION, the profile, us-east-1)'),
  row('s3', 'pathStyle', 'true|false', 'endpoint/bucket/key addresses (true with an endpoint)'),
  row('s3', 'profile', 'NAME', 'section of the credentials file (AWS_PROFILE)'),
  row('s3', 'caFile', 'PATH', 'PEM certificates to trust beside those of the system'),
  row('s3', 'insecureSkipTlsVerify', 'true|false', 'accept any certificate (false)'),
  row('s3', 'sse', 'AES256|aws:kms', "server-side encryption (the bucket's default)"),
  row('s3', 'sseKmsKeyId', 'ID', 'key for sse=aws:kms'),
  row('s3', 'sseCustomerKeyFile', 'PATH', 'file with the 32 bytes of an SSE-C key'),
  row('s3', 'checksum', S3_CHECKSUMS.join('|'), 'of what is written, else MD5 (crc32)'),
  row('s3', 'conditionalPut', 'auto|always|never', 'whether the server knows If-None-Match (auto)'),
  row('s3', 'parallelism', '1…1024', 'requests and connections at once (16)'),
  row('s3', 'connectTimeoutMs', 'MS', 'to make a connection (10000)'),
  row('s3', 'idleTimeoutMs', 'MS', 'without a byte in either direction (30000)'),
  row('s3', 'requestTimeoutMs', 'MS', 'for one request with its body (600000)'),
]);

export interface FileLocation {
  readonly scheme: 'file';
  readonly directory: string;
  readonly shards: readonly number[] | undefined;
}

export interface S3Location {
  readonly scheme: 's3';
  readonly s3: Omit<S3Options, 'credentials' | 'caPem'>;
  readonly caFile: string | undefined;
  readonly sseCustomerKeyFile: string | undefined;
}

export type StorageLocation = FileLocation | S3Location;

/**
 * What the storage at `text` calls itself (Storage.displayName), without opening it.
 * @throws STORAGE_URL_INVALID
 */
export function storageNameOf(text: string): string {
  const location = parseStorageUrl(text);
  if (location.scheme === 'file') return pathToFileURL(location.directory).href;
  return s3NameOf(location.s3);
}

export function s3NameOf({ bucket, prefix }: Pick<S3Options, 'bucket' | 'prefix'>): string {
  return `s3://${bucket}/${prefix}`;
}

/** @throws STORAGE_URL_INVALID */
export function parseStorageUrl(text: string): StorageLocation {
  if (text === '' || text.includes('\0')) throw invalid('it is empty or holds a NUL character');
  const scheme = /^([a-zA-Z][a-zA-Z0-9+.-]+):/.exec(text)?.[1]?.toLowerCase();
  if (scheme === undefined) {
    return { scheme: 'file', directory: resolve(text), shards: undefined };
  }
  if (scheme === 'file') return parseFile(text);
  if (scheme === 's3') return parseS3(text);
  throw invalid(`${scheme}: is not known; write a path, file:///dir or s3://bucket/prefix`);
}

function parseFile(text: string): FileLocation {
  const { address, parameters } = split(text, 'file');
  let directory: string;
  try {
    if (!/^file:\/\/\//i.test(address)) throw new TypeError('no three slashes');
    directory = fileURLToPath(address);
  } catch {
    throw invalid('a file URL has three slashes and an absolute path: file:///dir');
  }
  const shards = parameters.take('shards', value =>
    value === '' ? [] : value.split(',').map(size => wholeNumber(size, 1, 32)),
  );
  return { scheme: 'file', directory, shards };
}

function parseS3(text: string): S3Location {
  const { address, parameters } = split(text, 's3');
  const match = /^s3:\/\/([a-zA-Z0-9._-]{1,255})(?:\/(.*))?$/i.exec(address);
  if (!match) throw invalid('write s3://bucket/prefix, without user, password or port');
  const [, bucket = '', path = ''] = match;
  const s3 = {
    bucket,
    prefix: parsePrefix(path),
    endpoint: parameters.take('endpoint', parseEndpoint),
    region: parameters.take('region', nonEmpty),
    pathStyle: parameters.take('pathStyle', trueOrFalse),
    profile: parameters.take('profile', nonEmpty),
    insecureSkipTlsVerify: parameters.take('insecureSkipTlsVerify', trueOrFalse),
    encryption: parseEncryption(parameters),
    checksum: parameters.take('checksum', oneOf(...S3_CHECKSUMS)),
    conditionalPut: parameters.take('conditionalPut', oneOf('auto', 'always', 'never')),
    parallelism: parameters.take('parallelism', value => wholeNumber(value, 1, 1024)),
    connectTimeoutMs: parameters.take('connectTimeoutMs', milliseconds),
    idleTimeoutMs: parameters.take('idleTimeoutMs', milliseconds),
    requestTimeoutMs: parameters.take('requestTimeoutMs', milliseconds),
  };
  const caFile = parameters.take('caFile', nonEmpty);
  const sseCustomerKeyFile = parameters.take('sseCustomerKeyFile', nonEmpty);
  if (sseCustomerKeyFile !== undefined && s3.encryption) {
    throw invalid('sse and sseCustomerKeyFile exclude each other');
  }
  return { scheme: 's3', s3, caFile, sseCustomerKeyFile };
}

function parsePrefix(path: string): string {
  const names = decode(path).replace(/^\/+|\/+$/g, '');
  if (names === '') return '';
  const isOdd = names.split('/').some(name => name === '' || name === '.' || name === '..');
  if (isOdd) throw invalid('the prefix has an empty, "." or ".." part');
  return `${names}/`;
}

function parseEndpoint(value: string): string {
  const url = URL.canParse(value) ? new URL(value) : undefined;
  if (!url || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    throw invalid('endpoint has to begin with http:// or https://');
  }
  if (url.username !== '' || url.password !== '') {
    throw invalid('endpoint must not hold a user or password');
  }
  if (url.search !== '' || url.hash !== '') throw invalid('endpoint must not hold ? or #');
  return url.href.replace(/\/$/, '');
}

function parseEncryption(parameters: Parameters): S3Encryption | undefined {
  const kind = parameters.take('sse', oneOf('AES256', 'aws:kms'));
  const keyId = parameters.take('sseKmsKeyId', nonEmpty);
  if (keyId !== undefined && kind !== 'aws:kms') throw invalid('sseKmsKeyId needs sse=aws:kms');
  return kind === 'aws:kms' ? { kind, keyId } : kind && { kind };
}

/** The parameters of one URL; each known, and there once. */
class Parameters {
  readonly #values = new Map<string, string>();

  constructor(query: string, scheme: StorageUrlParameter['scheme']) {
    const known = STORAGE_URL_PARAMETERS.filter(item => item.scheme === scheme);
    for (const [name, value] of new URLSearchParams(query)) {
      if (/key$|secret|token|password/i.test(name)) {
        throw invalid('credentials go into AWS_SHARED_CREDENTIALS_FILE or the environment');
      }
      if (!known.some(item => item.name === name)) {
        const names = known.map(item => item.name).join(', ');
        throw invalid(`parameter ${JSON.stringify(name.slice(0, 40))} is not one of ${names}`);
      }
      if (this.#values.has(name)) throw invalid(`parameter ${name} is there twice`);
      this.#values.set(name, value);
    }
  }

  take<Value>(name: string, parse: (value: string, name: string) => Value): Value | undefined {
    const value = this.#values.get(name);
    if (value === undefined) return undefined;
    try {
      return parse(value, name);
    } catch (error) {
      if (error instanceof RangeError) throw invalid(`parameter ${name} ${error.message}`);
      throw error;
    }
  }
}

function split(
  text: string,
  scheme: StorageUrlParameter['scheme'],
): { address: string; parameters: Parameters } {
  const at = text.indexOf('?');
  const address = at < 0 ? text : text.slice(0, at);
  if (address.includes('#')) throw invalid('# has to be written %23');
  const query = at < 0 ? '' : text.slice(at + 1);
  return { address, parameters: new Parameters(query, scheme) };
}

function decode(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    throw invalid('a % in it is not followed by two hexadecimal digits');
  }
}

function nonEmpty(value: string): string {
  if (value === '') throw new RangeError('is empty');
  return value;
}

function trueOrFalse(value: string): boolean {
  if (value !== 'true' && value !== 'false') throw new RangeError('has to be true or false');
  return value === 'true';
}

function oneOf<Choice extends string>(...choices: Choice[]): (value: string) => Choice {
  return value => {
    const choice = choices.find(item => item === value);
    if (choice === undefined) throw new RangeError(`has to be one of ${choices.join(', ')}`);
    return choice;
  };
}

function wholeNumber(value: string, min: number, max: number): number {
  const number = /^\d{1,10}$/.test(value) ? Number(value) : Number.NaN;
  if (!(number >= min && number <= max)) {
    throw new RangeError(`has to be a whole number from ${min} to ${max}`);
  }
  return number;
}

function milliseconds(value: string): number {
  return wholeNumber(value, 1, 24 * 3600 * 1000);
}

function invalid(why: string): EngineError {
  // The text itself stays out of the message: it may hold what should not have been in it.
  return new EngineError('STORAGE_URL_INVALID', `cannot understand the repository URL: ${why}`);
}
