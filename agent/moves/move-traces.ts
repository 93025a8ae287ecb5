// The traces of the moves of one kind that this process is at. Empty, and free, without a tracer.

import { keyOf, type ObjectKey } from '#kube/kube-object.ts';
import { MoveTrace, type Tracer } from './move-trace.ts';
import type { Written } from './move-writer.ts';
import type { MoveObject } from './objects/move-object.ts';
import { ANNOTATIONS, LABELS } from './objects/well-known-names.ts';
import type { Phase } from './phases.ts';
import type { MoveOptions } from './volume-mover.ts';
import { traceIdentityOf } from './trace-identity.ts';

/** What comes on top has no trace. */
const TRACED_MOVES_MAX = 10_000;

interface Traced {
  readonly uid: string;
  /** Undefined where it is not sampled. */
  readonly trace: MoveTrace | undefined;
}

export class MoveTraces<Item extends MoveObject> {
  readonly #tracer: Tracer | undefined;
  readonly #kind: string;
  readonly #moves = new Map<ObjectKey, Traced>();

  constructor(tracer: Tracer | undefined, { kind }: { readonly kind: string }) {
    this.#tracer = tracer;
    this.#kind = kind;
  }

  /** The trace of a move that something is done for, which begins when there is none. */
  of(item: Item): MoveTrace | undefined {
    if (this.#tracer === undefined) return undefined;
    const key = keyOf(item);
    const { uid = '' } = item.metadata;
    const known = this.#moves.get(key);
    if (known?.uid === uid) return known.trace;
    this.end(key, 'gone');
    if (this.#moves.size >= TRACED_MOVES_MAX) return undefined;
    const trace = this.#begin(this.#tracer, item);
    this.#moves.set(key, { uid, trace });
    return trace;
  }

  /** Of one that has begun. */
  idOf(item: MoveObject): string | undefined {
    return this.#moves.get(keyOf(item))?.trace?.id;
  }

  /**
   * A write of a phase, which ends the stage before it. The object gets the id of the trace with a
   * write that it gets anyhow.
   */
  async writing(
    item: Item,
    phase: Phase,
    write: (item: Item) => Promise<Written<Item>>,
  ): Promise<Written<Item>> {
    const trace = this.of(item);
    if (trace === undefined) return await write(item);
    trace.leave();
    const annotations = { ...item.metadata.annotations, [ANNOTATIONS.traceId]: trace.id };
    const marked = { ...item, metadata: { ...item.metadata, annotations } };
    return await trace.writing({ phase }, () => write(marked));
  }

  /** The work on a move, which knows its trace. */
  working<Result>(
    item: Item,
    work: (options: MoveOptions) => Promise<Result>,
  ): (options: MoveOptions) => Promise<Result> {
    const trace = this.of(item);
    if (trace === undefined) return work;
    trace.leave();
    return options => trace.through(() => work({ ...options, trace }));
  }

  /** Others are at it, or were. What was only tried here is not told of. */
  endByOthers(key: ObjectKey): void {
    if (this.#moves.get(key)?.trace?.hasWritten) this.end(key, 'by others');
    else this.#moves.delete(key);
  }

  /** Nothing when it has no trace. */
  end(key: ObjectKey, outcome: string, { bytes, errorCode }: TraceEnd = {}): void {
    this.#moves.get(key)?.trace?.end({ outcome, bytes, errorCode }, errorCode);
    this.#moves.delete(key);
  }

  endAll(outcome: string): void {
    for (const key of this.#moves.keys()) this.end(key, outcome);
  }

  #begin(tracer: Tracer, item: Item): MoveTrace | undefined {
    const { labels = {}, uid } = item.metadata;
    const values = {
      kind: this.#kind,
      move: keyOf(item),
      uid,
      backup: labels[LABELS.backupName],
      restore: labels[LABELS.restoreName],
      location: item.spec.backupStorageLocation,
      isTakenOver: item.status?.phase === 'InProgress',
    };
    const span = tracer.begin('move', values, traceIdentityOf(item));
    return span && new MoveTrace(span);
  }
}

interface TraceEnd {
  readonly bytes?: number;
  readonly errorCode?: string;
}
