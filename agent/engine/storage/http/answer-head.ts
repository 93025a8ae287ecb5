// Status line and headers of an HTTP/1.1 answer (RFC 9112 2.1, 4, 5). What a lenient reader would
// have to guess is an error: two readers that guess differently see two different bodies.

/** What came is no HTTP/1.1 answer, or none that can be read in one way only. */
export class HttpError extends Error {
  override readonly name = 'HttpError';
}

export interface AnswerHead {
  readonly status: number;
  /** `HTTP/1.0`, which ends its connections unless it says otherwise. */
  readonly isOld: boolean;
  /** By their names in lower case; those that came several times joined by `, `. */
  readonly headers: Readonly<Record<string, string>>;
}

const HEAD_BYTES_MAX = 64 * 1024;
const STATUS_LINE = /^HTTP\/1\.([01]) ([1-9]\d\d)(?: [^\r\n]*)?$/;
const HEADER = /^([!#$%&'*+.^_`|~\w-]+):([^\r\n\0]*)$/;

/**
 * The head at the start of `bytes` and how many of them it takes; undefined as long as it is not
 * whole.
 * @throws HttpError
 */
export function readAnswerHead(
  bytes: Buffer,
): { readonly head: AnswerHead; readonly headBytes: number } | undefined {
  const end = bytes.indexOf('\r\n\r\n');
  if (end < 0 || end > HEAD_BYTES_MAX) {
    if (bytes.length > HEAD_BYTES_MAX) {
      throw new HttpError(`the answer's headers have more than ${HEAD_BYTES_MAX} bytes`);
    }
    // A server of another protocol may say one line and wait: do not wait with it.
    requireHttp(bytes);
    return undefined;
  }
  return { head: parseHead(bytes.toString('latin1', 0, end)), headBytes: end + 4 };
}

function requireHttp(bytes: Buffer): void {
  const magic = 'HTTP/1.';
  const start = bytes.toString('latin1', 0, magic.length);
  if (!magic.startsWith(start)) throw new HttpError('the answer is not HTTP/1.1');
}

function parseHead(text: string): AnswerHead {
  const [statusLine = '', ...lines] = text.split('\r\n');
  const [, minor, status] = STATUS_LINE.exec(statusLine) ?? [];
  if (status === undefined) throw new HttpError('the answer is not HTTP/1.1');
  // Without a prototype: a server may name a header as it likes.
  const headers = Object.create(null) as Record<string, string>;
  for (const line of lines) {
    const [, name, padded] = HEADER.exec(line) ?? [];
    if (name === undefined || padded === undefined) {
      throw new HttpError('the answer has a header that is none');
    }
    const key = name.toLowerCase();
    const value = withoutBlanks(padded);
    headers[key] = headers[key] === undefined ? value : `${headers[key]}, ${value}`;
  }
  return { status: Number(status), isOld: minor === '0', headers };
}

/** Whether the connection is there for another question afterwards (RFC 9112 9.3). */
export function staysOpen({ isOld, headers }: AnswerHead): boolean {
  const said = (headers.connection ?? '').toLowerCase().split(',').map(withoutBlanks);
  return isOld ? said.includes('keep-alive') : !said.includes('close');
}

/** By hand: a pattern for the end looks at all blanks behind each of them, 64 KiB for 2.5 s. */
function withoutBlanks(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && isBlank(text[start])) start++;
  while (end > start && isBlank(text[end - 1])) end--;
  return text.slice(start, end);
}

function isBlank(character: string): boolean {
  return character === ' ' || character === '\t';
}
