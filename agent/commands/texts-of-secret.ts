// Which texts of a Secret nobody may see: its values, and of those that have several in them, such
// as files of keys, each line and each value. Certificates are public, and their lines many.

import { isRecord } from '#engine/base/record.ts';
import type { Secret } from '#agent/repositories/repository-objects.ts';
import { isSecretName } from './secret-names.ts';

/** Helm keeps all that it has installed in Secrets, packed; nothing else has any of that text. */
const HELM = 'helm.sh/release.v1';
/** Beside its token it has the name of the namespace it is in, and that is in every other line. */
const ACCOUNT = { type: 'kubernetes.io/service-account-token', publicKey: 'namespace' };
const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g;
/** What is shorter and not named as a secret is a region, a type or a name. */
const UNNAMED_LENGTH_MIN = 16;

export function* secretTextsOf(secret: Secret & { readonly type?: string }): Generator<string> {
  if (secret.type === HELM) return;
  for (const [key, base64] of Object.entries(secret.data ?? {})) {
    if (secret.type === ACCOUNT.type && key === ACCOUNT.publicKey) continue;
    yield base64;
    const text = Buffer.from(base64, 'base64').toString('utf8').replaceAll(CERTIFICATE, '');
    yield* textsIn(text.trim());
  }
}

function* textsIn(text: string): Generator<string> {
  yield text;
  yield* inJson(text);
  for (const line of text.split(/\r?\n|\\n/)) {
    const trimmed = line.trim();
    yield trimmed;
    const equals = trimmed.search(/[=:]/);
    if (equals >= 0) yield unquoted(trimmed.slice(equals + 1).trim());
    for (const [, user = ''] of trimmed.matchAll(/\w:\/\/[^\s/@:]*:([^\s@]{1,200})@/g)) {
      yield user;
    }
    for (const [, quoted = ''] of trimmed.matchAll(/["']([^"'\s]+)["']/g)) {
      if (quoted.length >= UNNAMED_LENGTH_MIN) yield quoted;
    }
    const named = /["']?([\w.-]{1,100})["']?\s*[=:]\s*["']?([^\s"',;&{}]+)/g;
    for (const [, name = '', value = ''] of trimmed.matchAll(named)) {
      if (isSecretName(name)) yield value;
    }
  }
}

function unquoted(text: string): string {
  return text.replace(/^(["'])(.*)\1$/, '$2');
}

function* inJson(text: string): Generator<string> {
  if (!/^[[{]/.test(text)) return;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return;
  }
  yield* leaves(value, '');
}

function* leaves(value: unknown, name: string): Generator<string> {
  if (typeof value === 'string') {
    if (!isSecretName(name) && value.length < UNNAMED_LENGTH_MIN) return;
    yield value;
    for (const line of value.split('\n')) yield line;
  } else if (Array.isArray(value)) {
    for (const each of value) yield* leaves(each, name);
  } else if (isRecord(value)) {
    for (const [key, each] of Object.entries(value)) yield* leaves(each, key);
  }
}
