// One connection to an HTTP/1.1 server, for one GET at a time, whose answer is gathered whole.
//
// node:http gives a body as a stream of pieces of 64 KiB, each a buffer and an event; copying those
// together takes three times the processor time of reading into the body's own memory, which Node's
// sockets offer as `onread` (docs/adr/0017-reading-from-s3.md).

import { connect, isIP, type Socket } from 'node:net';
import { connect as connectTls, type ConnectionOptions } from 'node:tls';
import type { SmoothRate } from '#engine/base/smooth-rate.ts';
import { type AnswerBody, bodyOf } from './answer-body.ts';
import { type AnswerHead, HttpError, readAnswerHead, staysOpen } from './answer-head.ts';

export interface ServerAddress {
  readonly isTls: boolean;
  readonly host: string;
  readonly port: number;
}

export interface ConnectionSettings {
  readonly connectTimeoutMs: number;
  /** Without a byte in either direction. */
  readonly idleTimeoutMs: number;
  readonly tls: Pick<ConnectionOptions, 'ca' | 'rejectUnauthorized'>;
  /** How fast all connections together read; `Connections` has it paid for what is on its way. */
  readonly rate?: SmoothRate;
}

export interface Answer {
  readonly head: AnswerHead;
  /** Memory of its own; undefined where it could not be read and is not required. */
  readonly body: Uint8Array | undefined;
}

/** Of a body that follows a head. */
export interface BodyLimit {
  readonly bytesMax: number;
  /**
   * Whether the answer is none without its whole body. Else one that is too long, cut or garbled is
   * left unread.
   */
  readonly isRequired: boolean;
}

export interface Question {
  /** Request line and headers, up to and with the empty line. */
  readonly text: string;
  /** Looks at the head before any memory is had for the body; what it throws ends the request. */
  readonly limitOf: (head: AnswerHead) => BodyLimit;
}

interface Exchange extends Question {
  readonly signal: AbortSignal | undefined;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: unknown) => void;
  head?: AnswerHead;
  body?: AnswerBody;
  isBodyRequired?: boolean;
}

/** Room for a head and for what comes with it in one read. */
const FRONT_BYTES = 16 * 1024;
/**
 * With a rate not more is read at once: to who reads half a window within a round trip Linux gives
 * a larger one (tcp_rcv_space_adjust), which the server then fills at once.
 */
const PACED_READ_BYTES = 32 * 1024;

export class Connection {
  readonly #socket: Socket;
  readonly #settings: ConnectionSettings;
  readonly #front = Buffer.allocUnsafeSlow(FRONT_BYTES);
  /** Bytes of a head that did not come in one piece. */
  #headBytes: Buffer | undefined;
  #exchange: Exchange | undefined;
  #isReusable = true;
  #gotBytes = false;
  #fastestBytesPerSecond = 0;
  /** Pieces that were read and have not passed the rate. */
  #heldCount = 0;

  constructor(address: ServerAddress, settings: ConnectionSettings) {
    this.#settings = settings;
    const { host, port, isTls } = address;
    // Node asks where to read to before each read, after it has told of the one before.
    const onread = {
      buffer: () => this.#room(),
      callback: (count: number, buffer: Uint8Array) => this.#take(buffer.subarray(0, count)),
    };
    const options = { host, port, onread, noDelay: true, keepAlive: true };
    // An address is no name that a certificate could be asked for by (RFC 6066 3).
    const servername = isIP(host) === 0 ? host : undefined;
    this.#socket = isTls
      ? connectTls({ ...options, ...settings.tls, servername, ALPNProtocols: ['http/1.1'] })
      : connect(options);
    this.#watch(isTls ? 'secureConnect' : 'connect');
  }

  /** Can be given another question once the one before is answered. */
  get isUsable(): boolean {
    return this.#isReusable && !this.#exchange && !this.#socket.destroyed;
  }

  /** Whether the server has said a word to the last question. */
  get gotBytes(): boolean {
    return this.#gotBytes;
  }

  /** The kernel's room for what was not read yet has grown with it. */
  get fastestBytesPerSecond(): number {
    return this.#fastestBytesPerSecond;
  }

  /**
   * Asks, and gathers the whole answer. Whatever goes wrong ends the connection.
   * @throws HttpError, CutBodyError, LIMIT_EXCEEDED, what `limitOf` throws, the signal's reason,
   *   and the errors of Node's sockets
   */
  ask(question: Question, signal: AbortSignal | undefined): Promise<Answer> {
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    const giveUp = (): void => this.#fail(signal?.reason);
    signal?.addEventListener('abort', giveUp, { once: true });
    this.#exchange = { ...question, signal, resolve, reject };
    this.#gotBytes = false;
    this.#socket.ref();
    this.#socket.setTimeout(this.#settings.idleTimeoutMs);
    this.#socket.write(question.text, 'latin1');
    return promise.finally(() => signal?.removeEventListener('abort', giveUp));
  }

  /** What is being asked fails with `error`. */
  destroy(error: Error): void {
    this.#fail(error);
  }

  #watch(ready: 'connect' | 'secureConnect'): void {
    const ms = this.#settings.connectTimeoutMs;
    const timer = setTimeout(() => this.#fail(timeoutError(`no connection within ${ms} ms`)), ms);
    this.#socket.once(ready, () => clearTimeout(timer));
    this.#socket.on('timeout', () => {
      this.#break(timeoutError(`not a byte within ${this.#settings.idleTimeoutMs} ms`));
    });
    this.#socket.on('error', error => this.#break(this.#exchange?.body?.cut() ?? error));
    this.#socket.on('close', () => {
      clearTimeout(timer);
      this.#end();
    });
  }

  /** Answers Node's question whether to go on reading. */
  #take(bytes: Uint8Array): boolean {
    try {
      this.#takeBytes(bytes);
      return this.#mayGoOn(bytes.length);
    } catch (error) {
      this.#break(error);
      return false;
    }
  }

  #room(): Uint8Array {
    const room = this.#exchange?.body?.room() ?? this.#front;
    const { rate } = this.#settings;
    if (rate?.bytesPerSecond === undefined) return room;
    return room.subarray(0, Math.min(PACED_READ_BYTES, rate.pieceBytes));
  }

  /**
   * Without a limit, or at the end of an answer, what was read is only counted. Else nothing more
   * is read until it has passed: the kernel's room fills and the server waits. TLS goes on giving
   * what it has decrypted, up to four records of one read, so the last of them counts.
   */
  #mayGoOn(bytes: number): boolean {
    const { rate, idleTimeoutMs } = this.#settings;
    if (!rate) return true;
    const { bytesPerSecond = Number.POSITIVE_INFINITY } = rate;
    this.#fastestBytesPerSecond = Math.max(this.#fastestBytesPerSecond, bytesPerSecond);
    const exchange = this.#exchange;
    if (!exchange || rate.bytesPerSecond === undefined) {
      rate.charge(bytes);
      return true;
    }
    // It is us who are idle.
    this.#socket.setTimeout(0);
    this.#heldCount += 1;
    const goOn = (): void => {
      this.#heldCount -= 1;
      if (this.#exchange !== exchange || this.#heldCount > 0) return;
      this.#socket.setTimeout(idleTimeoutMs);
      this.#socket.resume();
    };
    // An abort ends the exchange by itself.
    rate.take(bytes, exchange.signal).then(goOn, () => (this.#heldCount -= 1));
    return false;
  }

  #takeBytes(bytes: Uint8Array): void {
    const exchange = this.#exchange;
    if (!exchange) throw new HttpError('the server speaks without being asked');
    this.#gotBytes = true;
    const rest = exchange.body ? bytes : this.#takeHead(exchange, bytes);
    const { body } = exchange;
    if (!rest || !body) return;
    const taken = body.take(rest);
    if (!body.isDone) return;
    if (taken < rest.length) this.#isReusable = false;
    this.#finish(exchange, body);
  }

  /** Returns what followed the head; undefined as long as that is not whole. */
  #takeHead(exchange: Exchange, bytes: Uint8Array): Uint8Array | undefined {
    const all = Buffer.concat(this.#headBytes ? [this.#headBytes, bytes] : [bytes]);
    const found = readAnswerHead(all);
    if (!found) {
      this.#headBytes = all;
      return undefined;
    }
    this.#headBytes = undefined;
    const { head, headBytes } = found;
    const rest = all.subarray(headBytes);
    // RFC 9110 15.2: any number of these comes before the answer.
    if (head.status < 200) return this.#takeHead(exchange, rest);
    const { bytesMax, isRequired } = exchange.limitOf(head);
    exchange.head = head;
    exchange.isBodyRequired = isRequired;
    exchange.body = bodyOf(head, bytesMax);
    this.#isReusable = staysOpen(head);
    return rest;
  }

  #finish({ head, resolve }: Exchange, body: AnswerBody): void {
    if (!head) throw new HttpError('a body without a head');
    this.#exchange = undefined;
    resolve({ head, body: body.whole() });
    if (!this.#isReusable) this.#socket.destroy();
    // What nobody waits for keeps no process running.
    else this.#socket.unref();
  }

  /** The server has ended it: that may be the end of a body, and is else an error. */
  #end(): void {
    const exchange = this.#exchange;
    if (!exchange) return;
    try {
      exchange.body?.end();
      if (!exchange.body) throw hangUpError();
      this.#isReusable = false;
      this.#finish(exchange, exchange.body);
    } catch (failure) {
      this.#break(failure);
    }
  }

  /** The server has not kept to what it said: an answer that needs no body is one all the same. */
  #break(error: unknown): void {
    const { head, isBodyRequired = true, resolve } = this.#exchange ?? {};
    if (head && !isBodyRequired) resolve?.({ head, body: undefined });
    this.#fail(error);
  }

  #fail(error: unknown): void {
    const exchange = this.#exchange;
    this.#exchange = undefined;
    this.#isReusable = false;
    this.#socket.destroy();
    exchange?.reject(error);
  }
}

function timeoutError(message: string): Error {
  return Object.assign(new Error(message), { name: 'TimeoutError' });
}

function hangUpError(): Error {
  return Object.assign(new Error('the server hung up'), { code: 'ECONNRESET' });
}
