// Leaves secrets out of what goes into a bundle: values of the Secrets of Velero's namespace, which
// are looked up for nothing but this, what looks like one, and fields that are named like one.

import { isEngineError } from '#engine/base/errors.ts';
import { isRecord } from '#engine/base/record.ts';
import { SECRETS } from '#kube/core-resources.ts';
import { SecretTexts } from '#agent/log-secrets.ts';
import type { Secret } from '#agent/repositories/repository-objects.ts';
import type { ReadingClient } from './cluster-verb.ts';

const HIDDEN = '[hidden]';
const WORDS = [
  ...['passw(?:or)?d', 'passphrase', 'secret', 'token', 'credential', 'authori[sz]ation'],
  ...['api_?-?key', 'access_?-?key', 'private_?-?key'],
];
const NAMED = new RegExp(WORDS.join('|'), 'i');
/** Of names of Secrets and their keys, which are of use, and no secret. */
const NAME_KEYS = /(name|names|ref|refs|file|path|key)$/i;
/** `password: x`, `--token=x`, `SECRET_KEY="x"` within a text. */
const NAMED_IN_TEXT = new RegExp(
  `([\\w.-]*(?:${NAMED.source})[\\w.-]*"?\\s*[=:]\\s*)("[^"\\n]*"|'[^'\\n]*'|[^\\s,;&"'}\\]]+)`,
  'gi',
);
/** They repeat the whole object as it was once written. */
const DROPPED = new Set(['managedFields', 'kubectl.kubernetes.io/last-applied-configuration']);

export class Redaction {
  readonly #secrets = new SecretTexts();

  /** @returns false where Secrets may not be listed: values are known by their form alone then */
  async learn(kube: ReadingClient, namespace: string, signal: AbortSignal): Promise<boolean> {
    try {
      const { items } = await kube.list<Secret>(SECRETS, { namespace }, { signal });
      for (const { data = {} } of items) for (const value of Object.values(data)) this.#add(value);
      return true;
    } catch (error) {
      if (isEngineError(error, 'KUBE_FORBIDDEN')) return false;
      throw error;
    }
  }

  /** Files of keys have several in them, a line each. */
  #add(base64: string): void {
    const text = Buffer.from(base64, 'base64').toString('utf8');
    for (const each of [base64, text, text.trim(), ...text.split(/\r?\n/)]) {
      this.#secrets.add(each);
      const equals = each.search(/[=:]/);
      if (equals >= 0) this.#secrets.add(each.slice(equals + 1).trim());
    }
  }

  readonly text = (text: string): string =>
    this.#secrets.hideIn(text).replace(NAMED_IN_TEXT, (whole, name: string, value: string) =>
      // A value that is a name alone is in YAML of pods everywhere: secretName: velero.
      NAME_KEYS.test(name.replace(/"?\s*[=:]\s*$/, '')) ? whole : name + (value && HIDDEN),
    );

  /** A copy of a JSON value. */
  value(value: unknown): unknown {
    if (typeof value === 'string') return this.text(value);
    if (Array.isArray(value)) {
      return value.map((each, index) => (isFlagged(value[index - 1]) ? HIDDEN : this.value(each)));
    }
    if (!isRecord(value)) return value;
    // An environment variable has its name beside its value.
    const isNamed = typeof value.name === 'string' && NAMED.test(value.name);
    return Object.fromEntries(
      Object.entries(value)
        .filter(([key]) => !DROPPED.has(key))
        .map(([key, each]) => {
          const isSecret =
            (isNamed && key === 'value') || (NAMED.test(key) && !NAME_KEYS.test(key));
          return [key, isSecret && typeof each === 'string' ? HIDDEN : this.value(each)];
        }),
    );
  }
}

/** The word behind `--password` is one. */
function isFlagged(word: unknown): boolean {
  return typeof word === 'string' && /^--?[\w-]+$/.test(word) && NAMED.test(word);
}
