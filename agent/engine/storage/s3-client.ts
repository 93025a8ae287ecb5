// Makes the S3 client. The SDK costs some 35 MB and 80 ms, so it is loaded here, when the first S3
// storage is opened, and nowhere else; its own retries are off, because retrying.ts does that.

import { getCACertificates } from 'node:tls';
import type * as Sdk from '@aws-sdk/client-s3';
import { EngineError, isEngineError, messageOf } from '#engine/base/errors.ts';
import { Connections } from './http/connections.ts';
import { KeepingHttpAgent, KeepingHttpsAgent } from './s3-agents.ts';
import { boundAnswers } from './s3-answer.ts';
import {
  S3_DEFAULTS,
  type S3Credentials,
  type S3CredentialsSource,
  type S3Options,
} from './s3-options.ts';
import type { Traffic } from './traffic.ts';

export type { Sdk };

type CredentialsProvider = Sdk.S3Client['config']['credentials'];

export interface S3Connection {
  readonly sdk: typeof Sdk;
  readonly client: Sdk.S3Client;
  /** For what is read whole into memory. */
  readonly gets: Connections;
  /** Over TLS the payload needs no signature of its own. */
  readonly isTls: boolean;
  readonly traffic: Traffic | undefined;
}

const ignore = (): void => undefined;
// The SDK would warn on standard error, which belongs to the command.
const silent = { trace: ignore, debug: ignore, info: ignore, warn: ignore, error: ignore };

/**
 * @throws STORAGE_CREDENTIALS_MISSING nothing names a key
 * @throws STORAGE_URL_INVALID
 */
export async function connectS3(options: S3Options, traffic?: Traffic): Promise<S3Connection> {
  const sdk = await import('@aws-sdk/client-s3');
  const config = { ...clientConfig(options), region: await regionOf(sdk, options) };
  const client = new sdk.S3Client(config);
  boundAnswers(client);
  try {
    await requireCredentials(client, options);
    keepAsking(client, options);
  } catch (error) {
    client.destroy();
    throw error;
  }
  const isTls = options.endpoint?.startsWith('http:') !== true;
  return {
    sdk,
    client,
    gets: new Connections({
      ...timeouts(options),
      tls: trust(options),
      rate: traffic?.download,
    }),
    isTls,
    traffic,
  };
}

function clientConfig(options: S3Options): Sdk.S3ClientConfig {
  const maxSockets = options.parallelism ?? S3_DEFAULTS.parallelism;
  return {
    endpoint: options.endpoint,
    forcePathStyle: options.pathStyle ?? options.endpoint !== undefined,
    credentials: credentialsOf(options.credentials),
    profile: options.profile,
    // Where nobody names the region of a bucket of Amazon's, its first answer does.
    followRegionRedirects: options.region === undefined && options.endpoint === undefined,
    maxAttempts: 1,
    logger: silent,
    // Those of the SDK need a chunked encoding that many servers refuse; s3-put.ts has its own, and
    // what is read is compared with its hash by whoever asked for it.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    // Waiting for "100 Continue" costs a round trip, and some servers never send it.
    expectContinueHeader: false,
    requestHandler: {
      connectionTimeout: timeouts(options).connectTimeoutMs,
      socketTimeout: timeouts(options).idleTimeoutMs,
      httpAgent: new KeepingHttpAgent({ keepAlive: true, maxSockets }),
      httpsAgent: new KeepingHttpsAgent({ keepAlive: true, maxSockets, ...trust(options) }),
      logger: silent,
    },
  };
}

function timeouts(options: S3Options): { connectTimeoutMs: number; idleTimeoutMs: number } {
  return {
    connectTimeoutMs: options.connectTimeoutMs ?? S3_DEFAULTS.connectTimeoutMs,
    idleTimeoutMs: options.idleTimeoutMs ?? S3_DEFAULTS.idleTimeoutMs,
  };
}

/** The SDK keeps what it was given until that expires, so a source's answer is always just that. */
function credentialsOf(
  credentials: S3Credentials | S3CredentialsSource | undefined,
): Sdk.S3ClientConfig['credentials'] {
  if (typeof credentials !== 'function') return credentials;
  return async () => ({ ...(await credentials()), expiration: new Date(0) });
}

function trust(options: S3Options): { ca?: string[]; rejectUnauthorized?: boolean } {
  if (options.insecureSkipTlsVerify) return { rejectUnauthorized: false };
  if (options.caPem === undefined) return {};
  return { ca: [...getCACertificates('default'), options.caPem] };
}

async function regionOf(sdk: typeof Sdk, options: S3Options): Promise<string> {
  const said = options.region ?? process.env.AWS_REGION ?? process.env.AWS_DEFAULT_REGION;
  if (said !== undefined && said !== '') return said;
  const probe = new sdk.S3Client({ profile: options.profile, logger: silent });
  try {
    return await probe.config.region();
  } catch {
    // No profile names one either: not an error, most S3-compatible servers have no regions.
    return S3_DEFAULTS.region;
  } finally {
    probe.destroy();
  }
}

/**
 * Asks the chain once, here, with a bound: else a missing key would show as a failure of each call,
 * after the second that the instance metadata service is given to answer.
 */
async function requireCredentials(client: Sdk.S3Client, options: S3Options): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    const ms = S3_DEFAULTS.credentialsTimeoutMs;
    timer = setTimeout(() => reject(new Error(`no answer within ${ms} ms`)), ms);
  });
  try {
    await Promise.race([client.config.credentials(), late]);
  } catch (error) {
    throw credentialsError(error, options.profile);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * There were credentials: that there are none for a moment, as while a token is rotated or when STS
 * fails, is worth another try. Whatever a source throws is about them, even when it looks like a
 * missing file or like an answer of S3's.
 */
function keepAsking({ config }: Sdk.S3Client, { profile }: S3Options): void {
  const ask: CredentialsProvider = config.credentials;
  const asked: CredentialsProvider = async options => {
    try {
      return await ask(options);
    } catch (error) {
      if (isEngineError(error)) throw error;
      throw credentialsError(error, profile, true);
    }
  };
  // What was asked remembers already, and knows who asks.
  const asBefore = { memoized: true, configBound: true, attributed: true };
  config.credentials = Object.assign(asked, asBefore);
}

function credentialsError(error: unknown, profile?: string, retryable = false): EngineError {
  const where = profile === undefined ? '' : ` for profile ${profile}`;
  return new EngineError(
    'STORAGE_CREDENTIALS_MISSING',
    `cannot find S3 credentials${where}: ${messageOf(error)}; set AWS_ACCESS_KEY_ID and ` +
      'AWS_SECRET_ACCESS_KEY, or AWS_SHARED_CREDENTIALS_FILE and AWS_PROFILE',
    { retryable },
  );
}
