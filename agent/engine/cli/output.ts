// Standard output of the command. In text mode it takes text, in JSON mode exactly one document; a
// reader that goes away (`| head`) closes it, which is no error: what writes looks at isClosed.
// Every other failure to write is OUTPUT_NOT_WRITABLE, from then on.

import { EngineError, systemCodeOf, systemReasonOf } from '#engine/base/errors.ts';

export type OutputFormat = 'text' | 'json';

/** The part of a writable stream that is needed, so that tests can collect what is written. */
export interface ByteSink {
  write(chunk: string | Uint8Array, done: (error?: Error | null) => void): boolean;
  on(event: 'error', listener: (error: Error) => void): unknown;
}

export interface ListForms<Item> {
  /** The key under which the items stand in the document. */
  readonly key: string;
  readonly json: (item: Item) => unknown;
  /** Lines for some items that follow each other; isFirst for the first call only. */
  readonly text: (items: readonly Item[], isFirst: boolean) => string;
}

/** How many items are aligned to each other in text. */
const PAGE_ITEMS = 500;

export class Output {
  readonly format: OutputFormat;
  readonly #sink: ByteSink;
  #isClosed = false;
  #failure: EngineError | undefined;
  #hasDocument = false;
  #openList: { isEmpty: boolean } | undefined;

  constructor(sink: ByteSink, format: OutputFormat) {
    this.#sink = sink;
    this.format = format;
    sink.on('error', error => {
      // Every other failure reaches the write that it belongs to.
      if (systemCodeOf(error) === 'EPIPE') this.#isClosed = true;
    });
  }

  /** Whether nobody reads any more. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Whether the one JSON document has been written. */
  get hasDocument(): boolean {
    return this.#hasDocument;
  }

  /**
   * The outcome of a verb that has done its work: a document in JSON mode, otherwise what `text`
   * gives.
   * @throws OUTPUT_NOT_WRITABLE, which says that the work was done
   */
  async report(document: unknown, text: () => string): Promise<void> {
    const isText = this.format === 'text';
    if (!isText) this.#hasDocument = true;
    await this.#write(
      isText ? text() : `${toJson(document, 2)}\n`,
      'the work was done, but its result',
    );
  }

  /** Items one by one, as they come; at most PAGE_ITEMS of them are held. */
  async list<Item>(items: AsyncIterable<Item>, forms: ListForms<Item>): Promise<number> {
    let count = 0;
    let page: Item[] = [];
    if (this.format === 'json') await this.#beginList(forms.key);
    for await (const item of items) {
      if (this.#isClosed) return count;
      count++;
      page.push(item);
      if (page.length < PAGE_ITEMS) continue;
      await this.#writePage(page, forms, count === page.length);
      page = [];
    }
    if (page.length > 0) await this.#writePage(page, forms, count === page.length);
    if (this.format === 'json') await this.#endList('');
    return count;
  }

  /** The one document of a run that failed; completes the list that had begun, if one had. */
  async failure(error: unknown): Promise<void> {
    if (this.#openList) return this.#endList(`,\n"error": ${toJson(error)}`);
    if (this.#hasDocument) return;
    this.#hasDocument = true;
    await this.bytes(`${toJson({ error }, 2)}\n`);
  }

  /**
   * Bytes as they are. Resolves when they are on their way, so that writers keep pace.
   * @throws OUTPUT_NOT_WRITABLE
   */
  async bytes(chunk: string | Uint8Array): Promise<void> {
    await this.#write(chunk, 'the result');
  }

  /** @param what begins the message of a failure */
  async #write(chunk: string | Uint8Array, what: string): Promise<void> {
    if (this.#isClosed || chunk.length === 0) return;
    // A stream that has failed says of later writes only that it is destroyed.
    if (this.#failure) throw this.#failure;
    await new Promise<void>((resolve, reject) => {
      this.#sink.write(chunk, error => {
        if (!error) return resolve();
        if (systemCodeOf(error) === 'EPIPE') {
          this.#isClosed = true;
          return resolve();
        }
        this.#failure = outputError(error, what);
        reject(this.#failure);
      });
    });
  }

  async #beginList(key: string): Promise<void> {
    this.#hasDocument = true;
    this.#openList = { isEmpty: true };
    await this.bytes(`{${JSON.stringify(key)}: [`);
  }

  async #endList(rest: string): Promise<void> {
    this.#openList = undefined;
    await this.bytes(`\n]${rest}}\n`);
  }

  async #writePage<Item>(page: readonly Item[], forms: ListForms<Item>, isFirst: boolean) {
    if (this.format === 'text') return this.bytes(forms.text(page, isFirst));
    const list = this.#openList;
    const lead = list?.isEmpty === false ? ',\n' : '\n';
    if (list) list.isEmpty = false;
    await this.bytes(lead + page.map(item => toJson(forms.json(item))).join(',\n'));
  }
}

function outputError(cause: Error, what: string): EngineError {
  const text = `${what} could not be written to standard output: ${systemReasonOf(cause)}`;
  const details = { errno: systemCodeOf(cause) };
  return new EngineError('OUTPUT_NOT_WRITABLE', text, { cause, details });
}

/** Looked up before parsing, since wrong usage has to be reported in the right form as well. */
export function requestedFormat(words: readonly string[]): OutputFormat {
  const asked = words.some(
    (word, index) =>
      /^(-o=?json|--output=json)$/.test(word) ||
      (/^(-o|--output)$/.test(word) && words[index + 1] === 'json'),
  );
  return asked ? 'json' : 'text';
}

/** JSON; an integer that a double cannot hold is text, and undefined is left out. */
export function toJson(value: unknown, indent?: number): string {
  return JSON.stringify(value, (_key, item: unknown) => withoutBigint(item), indent);
}

function withoutBigint(value: unknown): unknown {
  if (typeof value !== 'bigint') return value;
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value.toString();
}
