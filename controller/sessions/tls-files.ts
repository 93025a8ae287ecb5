// Certificate and key of the controller, from files that may be replaced at any time: a mounted
// Secret that cert-manager renews. What cannot be used is said and not taken; what was there goes
// on, because a half-replaced pair is the usual case and the next look finds both.

import { X509Certificate, createPrivateKey } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { Clock } from '#engine/base/clock.ts';
import { EngineError, messageOf, systemCodeOf } from '#engine/base/errors.ts';

export interface TlsPair {
  /** PEM, the chain behind it. */
  readonly certificate: string;
  /** PEM */
  readonly key: string;
}

export interface TlsPaths {
  readonly certificatePath: string;
  readonly keyPath: string;
}

/** The kubelet takes up to a minute to bring a Secret to its mounts anyway. */
const LOOK_INTERVAL_MS = 10_000;
const FILE_BYTES_MAX = 1024 * 1024;

/** @throws COORDINATOR_TLS_INVALID */
export async function readTlsPair(paths: TlsPaths, nowMs: number): Promise<TlsPair> {
  const certificate = await readPem(paths.certificatePath);
  const key = await readPem(paths.keyPath);
  const pair = { certificate, key };
  requirePair(pair, nowMs);
  return pair;
}

/** @throws COORDINATOR_TLS_INVALID where they do not belong together, or not to this time */
export function requirePair({ certificate, key }: TlsPair, nowMs: number): void {
  let own: X509Certificate;
  try {
    own = new X509Certificate(certificate);
    if (!own.checkPrivateKey(createPrivateKey(key))) throw new Error('the key is of another one');
  } catch (error) {
    throw unusable(messageOf(error));
  }
  const { validFromDate, validToDate } = own;
  if (validToDate.getTime() <= nowMs)
    throw unusable(`it has expired, ${validToDate.toISOString()}`);
  if (validFromDate.getTime() > nowMs) {
    throw unusable(`it is not valid before ${validFromDate.toISOString()}`);
  }
}

export interface TlsWatch {
  readonly paths: TlsPaths;
  readonly current: TlsPair;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** There is a pair that can be used and differs from the last one. */
  readonly onChanged: (pair: TlsPair) => void;
  /** Once for each fault that lasts. */
  readonly onFault: (error: EngineError) => void;
}

/** Looks until the signal fires. */
export async function watchTlsFiles(watch: TlsWatch): Promise<void> {
  const { paths, clock, signal, onChanged, onFault } = watch;
  let { current } = watch;
  let fault = '';
  for (;;) {
    try {
      await clock.sleep(LOOK_INTERVAL_MS, signal);
    } catch {
      return;
    }
    try {
      const pair = await readTlsPair(paths, clock.now());
      fault = '';
      if (pair.certificate === current.certificate && pair.key === current.key) continue;
      current = pair;
      onChanged(pair);
    } catch (error) {
      const said = error instanceof EngineError ? error : unusable(messageOf(error));
      if (said.message !== fault) onFault(said);
      fault = said.message;
    }
  }
}

async function readPem(path: string): Promise<string> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    throw unusable(`${path}: ${systemCodeOf(error) ?? messageOf(error)}`);
  }
  if (text.length > FILE_BYTES_MAX) throw unusable(`${path} is too large for a certificate`);
  return text;
}

function unusable(why: string): EngineError {
  const what = `the certificate of the controller cannot be used: ${why}`;
  return new EngineError('COORDINATOR_TLS_INVALID', what);
}
