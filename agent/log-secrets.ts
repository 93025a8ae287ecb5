// What keeps secrets out of everything that is written (log, `status.message`, events): names of
// keys that hold them, the texts themselves once they are known, and forms by which they can be
// told.

const NAMES = ['password', 'secret', 'token', 'authorization', 'credential', 'credentials'];
const MORE = ['secretAccessKey', 'sessionToken', 'accessKeyId', 'clientSecret', 'privateKey'];
/** As deep as keys of a line are nested: the line, an error in it, details of the error. */
const DEPTHS = ['', '*.', '*.*.'];
/** Shorter ones would hide half of every line. */
const LENGTH_MIN = 6;
/** Repositories and storage locations of one cluster; then the oldest makes room. */
const TEXTS_MAX = 1000;
const HIDDEN = '[hidden]';
/** Where a text was cut: what stands before it may be the beginning of a secret. */
const CUT = '\u2026';
const SCHEME = String.raw`\b([Bb](?:earer|asic)|BEARER|BASIC)`;
const CAPITAL_WITHIN = String.raw`[\w.~+/-]{1,14}[A-Z]`;
const DIGIT_WITHIN = String.raw`[A-Za-z_+/]{0,14}\d[\w+/]{0,14}(?![\w.~+/-])`;
/**
 * A bearer token (RFC 6750, RFC 7519); the user part of an address (RFC 3986 §3.2.1); what a signed
 * URL or header of S3 lets in (AWS Signature Version 4, "Authenticating requests"), and the SAS of
 * Azure; the id of an AWS key.
 */
const FORMS: readonly (readonly [RegExp, string])[] = [
  // Also without the dots of a whole one: what may begin anywhere in a long word and then has to
  // have something behind it is looked for from each of its beginnings (100 kB of `eyJ-`: 4 s).
  [/\beyJ[\w-]{8,}(?:\.[\w-]*){0,2}/g, HIDDEN],
  [
    /\b(authorization\b["'\\]{0,4}\s{0,4}[:=,]\s{0,4}["'\\]{0,4}(?:bearer|basic) )[\w.~+/-]+=*/gi,
    `$1${HIDDEN}`,
  ],
  // Elsewhere a word may follow, as in "pod shop/basic cannot start". What is long or padded is
  // none, nor what has capitals within it, nor what has digits and no `-` or `.`, as names have.
  [/\b(bearer|basic) (?:[\w.~+/-]{16,}=*|[\w.~+/-]{6,}=+)/gi, `$1 ${HIDDEN}`],
  [
    new RegExp(`${SCHEME} (?=${CAPITAL_WITHIN}|${DIGIT_WITHIN})[\\w.~+/-]{6,15}`, 'g'),
    `$1 ${HIDDEN}`,
  ],
  [/(\w:\/\/)[^\s/@"]+@/g, `$1${HIDDEN}@`],
  [
    /\b((?:X-Amz-)?(?:Signature|Credential|Security-Token)|AWSAccessKeyId|sig)=[^&\s,;"'<>\\]+/gi,
    `$1=${HIDDEN}`,
  ],
  [/\b(?:AKIA|ASIA)[A-Z0-9]{16}\b/g, HIDDEN],
];

/** Paths as pino's `redact` takes them. */
export function secretKeys(): string[] {
  return [...NAMES, ...MORE].flatMap(name => DEPTHS.map(depth => `${depth}${name}`));
}

export class SecretTexts {
  readonly #texts = new Set<string>();
  /** Of all texts, made when it is needed first. */
  #forms: { readonly plain: readonly string[]; readonly inJson: readonly string[] } | undefined;

  /** From now on `text` is replaced wherever it stands. */
  add(text: string): void {
    if (text.length < LENGTH_MIN) return;
    // One that is in use is no longer the oldest.
    const isKnown = this.#texts.delete(text);
    this.#texts.add(text);
    if (isKnown) return;
    this.#forms = undefined;
    const [oldest] = this.#texts;
    if (oldest !== undefined && this.#texts.size > TEXTS_MAX) this.#texts.delete(oldest);
  }

  readonly hideIn = (text: string): string => hide(text, this.#formsNow().plain);

  /** In a text of JSON, which stays one. */
  hideInJson(json: string): string {
    return hide(json, this.#formsNow().inJson);
  }

  /** Each text as it is and as it stands in a URL; and both as they stand in JSON. */
  #formsNow() {
    if (this.#forms !== undefined) return this.#forms;
    const plain = [...this.#texts].flatMap(text => [text, encodeURIComponent(text.toWellFormed())]);
    const inJson = plain.map(text => JSON.stringify(text).slice(1, -1));
    this.#forms = { plain: longestFirst(plain), inJson: longestFirst(inJson) };
    return this.#forms;
  }
}

/** One may be the beginning of another. */
function longestFirst(texts: readonly string[]): string[] {
  return [...new Set(texts)].sort((one, other) => other.length - one.length);
}

function hide(text: string, secrets: readonly string[]): string {
  let hidden = text;
  for (const secret of secrets) hidden = hidden.replaceAll(secret, HIDDEN);
  hidden = hidden.includes(CUT) ? hideBeforeCuts(hidden, secrets) : hidden;
  for (const [form, instead] of FORMS) hidden = hidden.replace(form, instead);
  return hidden;
}

function hideBeforeCuts(text: string, secrets: readonly string[]): string {
  const [last = '', ...before] = text.split(CUT).reverse();
  const pieces = before.map(piece => {
    const lengths = secrets.map(secret => beginningAtEnd(piece, secret));
    const length = Math.max(0, ...lengths);
    return length === 0 ? piece : piece.slice(0, -length) + HIDDEN;
  });
  return [...pieces.reverse(), last].join(CUT);
}

/** How much of the beginning of `secret` stands at the end of `text`; 0 where it is too little. */
function beginningAtEnd(text: string, secret: string): number {
  for (let length = Math.min(secret.length, text.length); length >= LENGTH_MIN; length--) {
    if (text.endsWith(secret.slice(0, length))) return length;
  }
  return 0;
}
