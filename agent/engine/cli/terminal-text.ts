// Names out of a repository are anybody's text. On a terminal a control character can move the
// cursor, hide a line or answer for the user, so everything that is shown goes through here.

import { isAscii } from 'node:buffer';

// C0, DEL, C1; line and paragraph separators; marks that reorder or hide what follows; surrogates
// without a partner, which are how Node shows bytes it could not decode in some calls.
const HOSTILE =
  // eslint-disable-next-line no-control-regex
  /[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]|\p{Cs}/gu;
const SHORT: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/** `text` in one line without anything a terminal acts on; what was replaced stays readable. */
export function safeText(text: string): string {
  const marked = text.replaceAll('\\', '\\\\');
  const escaped = marked.replace(HOSTILE, escapeOf);
  // A backslash alone is no danger; doubling it matters only beside an escape of ours.
  return escaped === marked ? text : escaped;
}

/** The columns that `text` takes, counting wide East Asian characters and emoji as two. */
export function columnsOf(text: string): number {
  // What knows where characters end takes 6 ms to load.
  if (isAscii(Buffer.from(text))) return text.length;
  segmenter ??= new Intl.Segmenter('en');
  let columns = 0;
  for (const { segment } of segmenter.segment(text)) columns += isWide(segment) ? 2 : 1;
  return columns;
}

function isWide(segment: string): boolean {
  wide ??= new RegExp(WIDE, 'u');
  return wide.test(segment);
}

/** `text` in at most `columns` columns, its middle replaced by `…` where it is longer. */
export function shortened(text: string, columns: number): string {
  if (text.length <= columns) return text;
  if (columns < 3) return text.slice(0, Math.max(0, columns));
  const head = Math.floor((columns - 1) / 3);
  return `${text.slice(0, head)}…${text.slice(text.length - (columns - 1 - head))}`;
}

let segmenter: Intl.Segmenter | undefined;
let wide: RegExp | undefined;
// Emoji, Hangul, CJK with its punctuation and kana, and full-width forms.
const WIDE =
  '\\p{Emoji_Presentation}|[\\u1100-\\u115f\\u2e80-\\u303e\\u3041-\\u33ff\\u3400-\\u4dbf' +
  '\\u4e00-\\u9fff\\ua000-\\ua4cf\\uac00-\\ud7a3\\uf900-\\ufaff\\ufe30-\\ufe6f' +
  '\\uff00-\\uff60\\uffe0-\\uffe6]';

function escapeOf(character: string): string {
  const short = SHORT[character];
  if (short !== undefined) return short;
  const code = character.codePointAt(0) ?? 0;
  return code < 0x100
    ? `\\x${code.toString(16).padStart(2, '0')}`
    : `\\u${code.toString(16).padStart(4, '0')}`;
}
