// Texts that are replaced wherever they stand, many of them in much text: a bundle of logs is
// looked through for every line of every Secret of a namespace. Found by their first characters, so
// that the time does not grow with their number (10,000 texts in 2 MiB of a log: 0.1 s).

export const HIDDEN = '[hidden]';

/** Shorter ones would hide half of every line. */
export const LENGTH_MIN = 6;
const TEXTS_MAX = 200_000;
/** Where a text was cut: what stands before it may be the beginning of a secret. */
const CUT = '\u2026';

export class HiddenTexts {
  readonly #byStart = new Map<string, Set<string>>();
  /** Of some of them, the longest first: one may be the beginning of another. */
  readonly #sorted = new Map<string, readonly string[]>();
  /** One for each hash of two characters that a text begins with. */
  readonly #hashes = new Uint8Array(2 ** 16);
  #count = 0;

  /** There were more than it keeps. */
  get isFull(): boolean {
    return this.#count >= TEXTS_MAX;
  }

  add(text: string): void {
    if (text.length < LENGTH_MIN || this.isFull) return;
    const start = text.slice(0, LENGTH_MIN);
    const same = this.#byStart.get(start);
    if (same?.has(text) === true) return;
    this.#count += 1;
    this.#hashes[hashAt(text, 0)] = 1;
    this.#sorted.delete(start);
    if (same === undefined) this.#byStart.set(start, new Set([text]));
    else same.add(text);
  }

  readonly hideIn = (text: string): string => {
    let hidden = '';
    let copied = 0;
    let index = 0;
    while (index <= text.length - LENGTH_MIN) {
      const length = this.#hashes[hashAt(text, index)] === 0 ? 0 : this.#lengthAt(text, index);
      if (length > 0) {
        hidden += text.slice(copied, index) + HIDDEN;
        copied = index + length;
      }
      index += Math.max(1, length);
    }
    return hidden + text.slice(copied);
  };

  /** Of the text that stands there, or of what a cut has left of it; 0 where none does. */
  #lengthAt(text: string, index: number): number {
    const candidates = this.#startingWith(text.slice(index, index + LENGTH_MIN));
    const whole = candidates.find(each => text.startsWith(each, index));
    if (whole !== undefined || candidates.length === 0) return whole?.length ?? 0;
    const [longest = ''] = candidates;
    const left = text.slice(index, index + longest.length).split(CUT, 2);
    const [beginning = ''] = left;
    return left.length > 1 && candidates.some(each => each.startsWith(beginning))
      ? beginning.length
      : 0;
  }

  #startingWith(start: string): readonly string[] {
    const known = this.#sorted.get(start);
    if (known !== undefined) return known;
    const texts = this.#byStart.get(start);
    if (texts === undefined) return [];
    const sorted = [...texts].sort((one, other) => other.length - one.length);
    this.#sorted.set(start, sorted);
    return sorted;
  }
}

function hashAt(text: string, index: number): number {
  return (text.charCodeAt(index) * 251 + text.charCodeAt(index + 1)) & 0xffff;
}
