// What it takes to be let in by the controller, from files that the kubelet renews: certificates to
// know it by, and a token of our audience. Read for each attempt, so nothing has to be restarted.

import { readFile } from 'node:fs/promises';
import { EngineError, messageOf, systemCodeOf } from '#engine/base/errors.ts';
import type { ClientTrust } from '#proto/dial.ts';

export interface AccessFiles {
  /** Absent for plain text, which dial.ts allows to the loopback interface alone. */
  readonly caPath: string | undefined;
  readonly tokenPath: string;
}

const FILE_BYTES_MAX = 1024 * 1024;

/** @throws COORDINATOR_TLS_INVALID, COORDINATOR_UNAUTHENTICATED where a file cannot be read */
export async function readAccess({
  caPath,
  tokenPath,
}: AccessFiles): Promise<{ readonly trust: ClientTrust; readonly token: string }> {
  const token = await readToken(tokenPath);
  if (caPath === undefined) return { trust: { plainText: true }, token };
  return { trust: await readTrust(caPath), token };
}

/** @throws COORDINATOR_UNAUTHENTICATED */
export async function readToken(path: string): Promise<string> {
  const token = (await readText(path, 'COORDINATOR_UNAUTHENTICATED', 'the token')).trim();
  if (/^[\x21-\x7e]+$/.test(token)) return token;
  throw new EngineError('COORDINATOR_UNAUTHENTICATED', `${path} holds no token`);
}

/** @throws COORDINATOR_TLS_INVALID */
export async function readTrust(path: string): Promise<ClientTrust> {
  const what = 'the certificates to know the controller by';
  return { caPem: await readText(path, 'COORDINATOR_TLS_INVALID', what) };
}

async function readText(
  path: string,
  code: 'COORDINATOR_TLS_INVALID' | 'COORDINATOR_UNAUTHENTICATED',
  what: string,
): Promise<string> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    const why = systemCodeOf(error) ?? messageOf(error);
    throw new EngineError(code, `${what} cannot be read from ${path}: ${why}`);
  }
  if (text.length > FILE_BYTES_MAX) throw new EngineError(code, `${path} is too large`);
  return text;
}
