// What keeps secrets out of logs: names of keys that hold them, the texts themselves once they are
// known, and forms by which they can be told.

const NAMES = ['password', 'secret', 'token', 'authorization', 'credential', 'credentials'];
const MORE = ['secretAccessKey', 'sessionToken', 'accessKeyId', 'clientSecret', 'privateKey'];
/** As deep as keys of a line are nested: the line, an error in it, details of the error. */
const DEPTHS = ['', '*.', '*.*.'];
/** Shorter ones would hide half of every line. */
const LENGTH_MIN = 6;
/** Repositories and storage locations of one cluster; then the oldest makes room. */
const TEXTS_MAX = 1000;
const HIDDEN = '[hidden]';
/** A bearer token (RFC 6750, RFC 7519), and the user part of an address (RFC 3986 §3.2.1). */
const FORMS: readonly (readonly [RegExp, string])[] = [
  [/\beyJ[\w-]{8,}\.[\w-]+\.[\w-]*/g, HIDDEN],
  [/\b(bearer|basic) [\w.~+/-]{6,}=*/gi, `$1 ${HIDDEN}`],
  [/(\w:\/\/)[^\s/@"]+@/g, `$1${HIDDEN}@`],
];

/** Paths as pino's `redact` takes them. */
export function secretKeys(): string[] {
  return [...NAMES, ...MORE].flatMap(name => DEPTHS.map(depth => `${depth}${name}`));
}

export class SecretTexts {
  readonly #texts = new Set<string>();
  /** The longest first: one may be the beginning of another. */
  #ordered: readonly string[] = [];

  /** From now on `text` is replaced wherever it stands in a line. */
  add(text: string): void {
    if (text.length < LENGTH_MIN) return;
    const [oldest] = this.#texts;
    if (oldest !== undefined && this.#texts.size >= TEXTS_MAX) this.#texts.delete(oldest);
    // As it would stand in JSON.
    this.#texts.add(JSON.stringify(text).slice(1, -1));
    this.#ordered = [...this.#texts].sort((one, other) => other.length - one.length);
  }

  hideIn(line: string): string {
    let hidden = line;
    for (const text of this.#ordered) hidden = hidden.replaceAll(text, HIDDEN);
    for (const [form, instead] of FORMS) hidden = hidden.replace(form, instead);
    return hidden;
  }
}
