// What is traced of one move: a span for all of it, in it one for each stage, one after the other,
// and one for each write of its status. Whoever is at a stage says so; nothing is made for a file.
// Names of files and messages stay out of it: they may say what is nobody's business.

import { EngineError } from '#engine/base/errors.ts';

export type SpanValues = Readonly<Record<string, string | number | boolean | undefined>>;

/** Made by whoever knows how traces are sent. No call throws or waits. */
export interface Span {
  readonly traceId: string;
  child(name: string, values?: SpanValues): Span;
  set(values: SpanValues): void;
  end(errorCode?: string): void;
}

/** W3C Trace Context, §3.2: what the span is a part of. */
export interface TraceParent {
  readonly traceId: string;
  readonly spanId: string;
  readonly isSampled: boolean;
}

export interface Tracer {
  /** Undefined where this trace is not among the sampled ones. */
  begin(
    name: string,
    values: SpanValues,
    of: { readonly traceId: string; readonly parent?: TraceParent },
  ): Span | undefined;
}

export class MoveTrace {
  readonly #span: Span;
  #stage: { readonly name: string; readonly span: Span } | undefined;
  #hasEnded = false;
  #hasWritten = false;

  constructor(span: Span) {
    this.#span = span;
  }

  get id(): string {
    return this.#span.traceId;
  }

  /** This process has left something in the object. */
  get hasWritten(): boolean {
    return this.#hasWritten;
  }

  /** The stage before it has ended. The same stage again goes on. */
  enter(name: string): void {
    // What was given up may still come to its next stage.
    if (this.#hasEnded || this.#stage?.name === name) return;
    this.leave();
    this.#stage = { name, span: this.#span.child(name) };
  }

  leave(errorCode?: string): void {
    this.#stage?.span.end(errorCode);
    this.#stage = undefined;
  }

  /** The stages of `work` end with it. */
  async through<Result>(work: () => Promise<Result>): Promise<Result> {
    try {
      return await work();
    } catch (error) {
      this.leave(codeOf(error));
      throw error;
    } finally {
      this.leave();
    }
  }

  /** Beside the stages; `write` says whether it was done, or somebody else was faster. */
  async writing<Result extends { readonly type: string }>(
    values: SpanValues,
    write: () => Promise<Result>,
  ): Promise<Result> {
    const span = this.#span.child('write status', values);
    try {
      const result = await write();
      // One that is not ended is not sent: any agent may try to accept, and one does.
      if (result.type !== 'written') return result;
      this.#hasWritten = true;
      span.end();
      return result;
    } catch (error) {
      span.end(codeOf(error));
      throw error;
    }
  }

  set(values: SpanValues): void {
    if (!this.#hasEnded) this.#span.set(values);
  }

  end(values: SpanValues, errorCode?: string): void {
    this.leave(errorCode);
    this.set(values);
    this.#hasEnded = true;
    this.#span.end(errorCode);
  }
}

export function codeOf(error: unknown): string {
  return error instanceof EngineError ? error.code : 'INTERNAL';
}
