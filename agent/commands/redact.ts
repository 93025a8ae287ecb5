// Leaves secrets out of what goes into a bundle: values of the Secrets of Velero's namespace, which
// are looked up for nothing but this, what looks like one, and what is named like one.

import { isEngineError } from '#engine/base/errors.ts';
import { isRecord } from '#engine/base/record.ts';
import { SECRETS } from '#kube/core-resources.ts';
import { SecretTexts } from '#agent/log-secrets.ts';
import type { Secret } from '#agent/repositories/repository-objects.ts';
import type { ReadingClient } from './cluster-verb.ts';
import { HIDDEN, HiddenTexts } from './hidden-texts.ts';
import { isSecretName } from './secret-names.ts';
import { secretTextsOf } from './texts-of-secret.ts';

/** They repeat the whole object as it was once written. */
const DROPPED = new Set(['managedFields', 'kubectl.kubernetes.io/last-applied-configuration']);

/** In double quotes, also where these are escaped themselves; in single quotes; or a word. */
const VALUE = String.raw`"(?:[^"\\\n]|\\.)*"|\\+"[^"\n]*"|'[^'\n]*'|[^\s,;&"'}\]]+`;
/** What follows a name of a secret: looked at where one has been found alone. */
const VALUE_THERE = new RegExp(VALUE, 'y');
/**
 * `password: x`, `SECRET_KEY="x"`, `"token":"x"` within a text. A name does not begin within a
 * longer word, so that long words are read once.
 */
const ASSIGNED = /(?<![\w.-])([\w.-]{1,100})\\*["']?\s*[=:]\s*/g;
/** `--password x`, `PASSWORD x` */
const FLAGGED = new RegExp(
  String.raw`(?<![\w.-])(-{1,2}[A-Za-z][\w-]{1,60}|` +
    String.raw`[A-Z_]{0,60}(?:PASSWORD|PASS|PWD|TOKEN|SECRET|_KEY))[ \t]+(?!-)`,
  'g',
);
/** `the password is x` */
const TOLD = /\b(pass(?:word|phrase)|token|secret)( (?:is|was|of) )(?:["']?)([^\s"',;]{4,})/gi;
/** A block of YAML: what is indented more, below `password: |`. */
const BLOCK =
  /^([ \t]*)(?:- )?([\w.-]{1,100})(:[ \t]*[|>][+-]?\d?[ \t]*)((?:\n(?:\1[ \t]+.*)?)+)/gm;

/** What nobody has to name, since it is known by how it looks; see also log-secrets.ts. */
const FORMS: readonly (readonly [RegExp, string])[] = [
  // RFC 7468, and RFC 9580 of PGP; its lines may be in a text of JSON, or be cut off.
  [
    new RegExp(
      '-----BEGIN [A-Z ]*PRIVATE KEY(?: BLOCK)?-----' +
        '[^-]*(?:-(?!----END)[^-]*)*(?:-----END [A-Z ]*-----)?',
      'g',
    ),
    HIDDEN,
  ],
  // A password may have a slash in it, which log-secrets.ts takes for the end of the user part.
  [/(\w:\/\/[^\s/@":]*:)[^\s@"]{1,200}@/g, `$1${HIDDEN}@`],
  // A data source of Go's MySQL driver.
  [/(\b[\w.-]{1,64}:)[^\s@"]{1,200}(?=@(?:tcp|unix)\()/g, `$1${HIDDEN}`],
  // `mysqldump -pPASSWORD`, which hooks of backups run, and Velero's log repeats.
  [/(\b(?:mysql|mariadb)[\w-]*\b[^\n]{0,300}?[\s"']-p)[^\s"',]+/g, `$1${HIDDEN}`],
  // GitHub, GitLab, Slack, Google, Stripe, by their published prefixes.
  [/\b(?:gh[pousr]_|github_pat_|glpat-|xox[abeoprs]-|AIza|[sr]k_live_)[\w-]{10,}/g, HIDDEN],
  [/(hooks\.slack\.com\/services\/)[\w/]+/g, `$1${HIDDEN}`],
];

export class Redaction {
  readonly #secrets = new HiddenTexts();
  readonly #forms = new SecretTexts();

  /** @returns false where not all of them are known: some are known by their form alone then */
  async learn(kube: ReadingClient, namespace: string, signal: AbortSignal): Promise<boolean> {
    try {
      const { items } = await kube.list<Secret>(SECRETS, { namespace }, { signal });
      for (const secret of items) for (const text of secretTextsOf(secret)) this.#add(text);
      return !this.#secrets.isFull;
    } catch (error) {
      if (isEngineError(error, 'KUBE_FORBIDDEN')) return false;
      throw error;
    }
  }

  /** As it is, as it stands in a URL, and in JSON. */
  #add(text: string): void {
    this.#secrets.add(text);
    this.#secrets.add(encodeURIComponent(text.toWellFormed()));
    this.#secrets.add(JSON.stringify(text).slice(1, -1));
  }

  readonly text = (text: string): string => {
    let hidden = this.#secrets.hideIn(text);
    for (const [form, instead] of FORMS) hidden = hidden.replace(form, instead);
    hidden = this.#forms.hideIn(hidden);
    hidden = hidden.replace(BLOCK, (whole, indent: string, name: string, colon: string) =>
      isSecretName(name) ? `${indent}${name}${colon}\n${indent}  ${HIDDEN}\n` : whole,
    );
    hidden = withoutValues(withoutValues(hidden, ASSIGNED), FLAGGED);
    return hidden.replace(TOLD, `$1$2${HIDDEN}`);
  };

  /** A copy of a JSON value. */
  value(value: unknown): unknown {
    if (typeof value === 'string') return this.text(value);
    if (Array.isArray(value)) return this.#words(value);
    if (!isRecord(value)) return value;
    // An environment variable has its name beside its value.
    const isNamed = typeof value.name === 'string' && isSecretName(value.name);
    return Object.fromEntries(
      Object.entries(value)
        .filter(([key]) => !DROPPED.has(key))
        .map(([key, each]) => {
          const isSecret = (isNamed && key === 'value') || isSecretName(key);
          return [key, isSecret ? this.#hidden(each) : this.value(each)];
        }),
    );
  }

  /** What stands under the name of a secret; an object there says where it is. */
  #hidden(value: unknown): unknown {
    if (typeof value === 'string') return HIDDEN;
    return Array.isArray(value) ? value.map(each => this.#hidden(each)) : this.value(value);
  }

  /** They may be those of a command. */
  #words(words: readonly unknown[]): unknown[] {
    const isMysql = /(?:^|\/)(?:mysql|mariadb)[\w-]*$/.test(String(words[0]));
    return words.map((each, index) => {
      if (isFlagged(words[index - 1])) return HIDDEN;
      const isPassword = isMysql && typeof each === 'string' && /^-p./.test(each);
      return isPassword ? `-p${HIDDEN}` : this.value(each);
    });
  }
}

/** What stands behind names of secrets is replaced; there may be a name in any other value. */
function withoutValues(text: string, names: RegExp): string {
  let hidden = '';
  let copied = 0;
  for (const { 0: lead, 1: name = '', index } of text.matchAll(names)) {
    const start = index + lead.length;
    if (start < copied || !isSecretName(name)) continue;
    VALUE_THERE.lastIndex = start;
    const value = VALUE_THERE.exec(text)?.[0];
    if (value === undefined || value === HIDDEN) continue;
    hidden += text.slice(copied, start) + hiddenValue(value);
    copied = start + value.length;
  }
  return hidden + text.slice(copied);
}

/** With the quotes it stands in, so that JSON stays JSON. */
function hiddenValue(value: string): string {
  const quote = /^\\*["']/.exec(value)?.[0] ?? '';
  return quote + HIDDEN + quote;
}

/** The word behind `--password` is one. */
function isFlagged(word: unknown): boolean {
  return typeof word === 'string' && /^--?[\w-]+$/.test(word) && isSecretName(word);
}
