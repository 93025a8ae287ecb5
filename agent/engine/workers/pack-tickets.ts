// A worker may write a pack only with a ticket from the main thread. The ticket carries the name of
// the pack and the place for its bytes, and it is given out only when
//   - the session marker that protects the pack from maintenance is durable, and
//   - there is memory, or there are few enough files waiting for fsync, for one more pack.
// So the order "marker before pack" (kopia-format.md 7) and the byte budget hold without the worker
// knowing of either. A worker asks and waits, blocking its own thread; the main thread never
// blocks.

import {
  MessageChannel,
  type MessagePort,
  receiveMessageOnPort,
  type Transferable,
} from 'node:worker_threads';
import {
  deserializeError,
  EngineError,
  serializeError,
  type SerializedError,
} from '#engine/base/errors.ts';
import type { TransferredRows } from '#engine/index/rows.ts';

/** `p` packs hold file contents, `q` packs everything with a prefix. */
export type PackKind = 'p' | 'q';

export interface PackTicket {
  readonly packId: string;
  readonly kind: PackKind;
  /** Exactly one of the two is there. */
  readonly stagedPath?: string;
  readonly buffer?: ArrayBuffer;
}

/** What a worker tells of a pack it has finished, or of a ticket it did not use (bytes: 0). */
export interface FinishedPack {
  readonly packId: string;
  readonly kind: PackKind;
  readonly bytes: number;
  readonly rows: TransferredRows | undefined;
  readonly buffer?: ArrayBuffer;
}

export type TicketRequest =
  | { readonly want: PackKind }
  | { readonly finished: FinishedPack }
  | { readonly failed: SerializedError };

export type TicketAnswer = { readonly ticket: PackTicket } | { readonly error: SerializedError };

/** What a worker needs to ask for tickets. */
export interface TicketLine {
  readonly port: MessagePort;
  /** Counts the answers sent; the worker sleeps on it. */
  readonly answered: SharedArrayBuffer;
}

/** The main thread's end. */
export interface TicketOffice {
  grant(kind: PackKind): Promise<PackTicket>;
  accept(pack: FinishedPack): void;
  /** A worker could not write what others may take for written already: the run is lost. */
  fail(error: unknown): void;
}

/** Opens a line from one worker to the office; give the result to the worker with its seed. */
export function openTicketLine(office: TicketOffice): TicketLine {
  const { port1, port2 } = new MessageChannel();
  const answered = new SharedArrayBuffer(4);
  const counter = new Int32Array(answered);
  const send = (answer: TicketAnswer, transfer: readonly Transferable[]): void => {
    port1.postMessage(answer, [...transfer]);
    Atomics.add(counter, 0, 1);
    Atomics.notify(counter, 0);
  };
  port1.on('message', (request: TicketRequest) => {
    if ('finished' in request) {
      office.accept(request.finished);
      return;
    }
    if ('failed' in request) {
      office.fail(deserializeError(request.failed));
      return;
    }
    office.grant(request.want).then(
      ticket => send({ ticket }, ticket.buffer ? [ticket.buffer] : []),
      (error: unknown) => send({ error: serializeError(error) }, []),
    );
  });
  // The line alone must not keep the process running.
  port1.unref();
  return { port: port2, answered };
}

/** The worker's end. */
export class TicketHolder {
  readonly #port: MessagePort;
  readonly #answered: Int32Array;
  readonly #isStopped: () => boolean;

  constructor(line: TicketLine, isStopped: () => boolean) {
    this.#port = line.port;
    this.#answered = new Int32Array(line.answered);
    this.#isStopped = isStopped;
  }

  /**
   * Waits, blocking this thread, until the main thread gives a ticket.
   * @throws ABORTED when the run is stopped meanwhile, and whatever the main thread answers
   */
  take(kind: PackKind): PackTicket {
    const seen = Atomics.load(this.#answered, 0);
    this.#port.postMessage({ want: kind } satisfies TicketRequest);
    for (;;) {
      const received = receiveMessageOnPort(this.#port);
      if (received) {
        // The port's only sender is openTicketLine above.
        const answer = received.message as TicketAnswer;
        if ('error' in answer) throw deserializeError(answer.error);
        return answer.ticket;
      }
      if (this.#isStopped()) throw new EngineError('ABORTED', 'the operation was cancelled');
      Atomics.wait(this.#answered, 0, seen, STOP_CHECK_MS);
    }
  }

  giveBack(finished: FinishedPack, transfer: readonly Transferable[]): void {
    this.#port.postMessage({ finished } satisfies TicketRequest, [...transfer]);
  }

  /** Tells the main thread that a content which was claimed is lost. */
  fail(error: unknown): void {
    this.#port.postMessage({ failed: serializeError(error) } satisfies TicketRequest);
  }
}

/** How long a waiting worker may take to notice that the run was stopped. */
const STOP_CHECK_MS = 200;
