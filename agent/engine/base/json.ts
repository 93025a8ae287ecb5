// JSON as Go's encoding/json writes it.
//
// Directory objects are addressed by the hash of their text, so equal trees give equal objects only
// if the text agrees to the byte (kopia-format.md 10.3 and appendix A).

const ESCAPES = /[<>&\u2028\u2029]/g;

function escapeForGo(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

/** A JSON string literal with the five escapes that Go adds to JSON.stringify's. */
export function goString(text: string): string {
  if (isPlain(text)) return `"${text}"`;
  const quoted = JSON.stringify(text);
  ESCAPES.lastIndex = 0;
  return ESCAPES.test(quoted) ? quoted.replace(ESCAPES, escapeForGo) : quoted;
}

/** Whether each character of `text` stands for itself, as nearly always. */
function isPlain(text: string): boolean {
  for (let at = 0; at < text.length; at++) if (!isPlainCode(text.charCodeAt(at))) return false;
  return true;
}

/** Whether Go and JavaScript write an ASCII character into JSON as it is. */
export function isPlainCode(code: number): boolean {
  const isEscaped =
    code === 0x22 || code === 0x26 || code === 0x3c || code === 0x3e || code === 0x5c;
  return code >= 0x20 && code < 0x7f && !isEscaped;
}

/**
 * JSON.stringify with Go's escapes; bigint values are written as integers, undefined is left out.
 */
export function goJson(value: unknown): string {
  const text = JSON.stringify(value, (_key, item: unknown) =>
    typeof item === 'bigint' ? rawNumber(item.toString()) : item,
  );
  return text.replace(ESCAPES, escapeForGo);
}

// JSON.rawJSON exists in Node 24; TypeScript 5.9 does not know it yet.
const rawNumber = (JSON as unknown as { rawJSON: (this: void, text: string) => unknown }).rawJSON;
