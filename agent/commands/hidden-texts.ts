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
  readonly #byStart = new Map<string, TextsOfOneStart>();
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
    const same = this.#byStart.get(start) ?? new TextsOfOneStart();
    this.#byStart.set(start, same);
    if (!same.add(text)) return;
    this.#count += 1;
    this.#hashes[hashAt(text, 0)] = 1;
  }

  readonly hideIn = (text: string): string => {
    let hidden = '';
    let copied = 0;
    let index = 0;
    let cutAt = -1;
    while (index <= text.length - LENGTH_MIN) {
      if (cutAt < index) cutAt = nextCut(text, index);
      const length =
        this.#hashes[hashAt(text, index)] === 0 ? 0 : this.#lengthAt(text, index, cutAt);
      if (length > 0) {
        hidden += text.slice(copied, index) + HIDDEN;
        copied = index + length;
      }
      index += Math.max(1, length);
    }
    return hidden + text.slice(copied);
  };

  /** Of the text that stands there, or of what a cut has left of it; 0 where none does. */
  #lengthAt(text: string, index: number, cutAt: number): number {
    const known = this.#byStart.get(text.slice(index, index + LENGTH_MIN));
    if (known === undefined) return 0;
    const length = known.lengthAt(text, index);
    if (length > 0 || cutAt >= index + known.longest) return length;
    const beginning = text.slice(index, cutAt);
    return known.hasBeginning(beginning) ? beginning.length : 0;
  }
}

/** Found by their lengths, of which there are few: thousands may begin alike. */
class TextsOfOneStart {
  readonly #byLength = new Map<number, Set<string>>();
  /** The longest first: one may be the beginning of another. */
  #lengths: readonly number[] = [];

  get longest(): number {
    return this.#lengths[0] ?? 0;
  }

  /** False where it was there already. */
  add(text: string): boolean {
    const same = this.#byLength.get(text.length);
    if (same?.has(text) === true) return false;
    if (same !== undefined) same.add(text);
    else {
      this.#byLength.set(text.length, new Set([text]));
      this.#lengths = [...this.#byLength.keys()].toSorted((one, other) => other - one);
    }
    return true;
  }

  lengthAt(text: string, index: number): number {
    const isThere = (length: number) =>
      index + length <= text.length &&
      this.#byLength.get(length)?.has(text.slice(index, index + length)) === true;
    return this.#lengths.find(isThere) ?? 0;
  }

  hasBeginning(beginning: string): boolean {
    for (const [length, texts] of this.#byLength) {
      if (length <= beginning.length) continue;
      for (const text of texts) if (text.startsWith(beginning)) return true;
    }
    return false;
  }
}

/** Infinity where there is none. */
function nextCut(text: string, from: number): number {
  const at = text.indexOf(CUT, from);
  return at < 0 ? Infinity : at;
}

function hashAt(text: string, index: number): number {
  return (text.charCodeAt(index) * 251 + text.charCodeAt(index + 1)) & 0xffff;
}
