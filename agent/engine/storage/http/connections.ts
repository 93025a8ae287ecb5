// Connections that stay open between requests. How many there are at once is decided by whoever
// asks; here is one for each question, the one that was used last first, so that the others age.

import { systemCodeOf } from '#engine/base/errors.ts';
import type { SmoothRate } from '#engine/base/smooth-rate.ts';
import {
  type Answer,
  Connection,
  type ConnectionSettings,
  type Question,
  type ServerAddress,
} from './connection.ts';

/**
 * What a server may send before we have read a byte: the window that Linux opens a connection with
 * (net.ipv4.tcp_rmem, 128 KiB, half of it for bytes). With a rate it is paid for before it is asked
 * for, and given back at the end of the answer.
 */
const AHEAD_BYTES = 64 * 1024;
/** And what libuv reads at once for TLS, which takes no smaller room. */
const TLS_READ_BYTES = 64 * 1024;

export class Connections {
  readonly #settings: ConnectionSettings;
  /** By address. Those that the server or time ended are dropped when they are met. */
  readonly #idle = new Map<string, Connection[]>();
  readonly #all = new Set<Connection>();
  #isClosed = false;

  constructor(settings: ConnectionSettings) {
    this.#settings = settings;
  }

  /**
   * Asks a server. A kept connection may end just as it is used again: as long as nothing has been
   * answered the question is asked again, for it is one that changes nothing.
   * @throws what Connection.ask throws
   */
  async ask(
    address: ServerAddress,
    question: Question,
    signal: AbortSignal | undefined,
  ): Promise<Answer> {
    const { rate } = this.#settings;
    if (rate?.bytesPerSecond === undefined) return this.#ask(address, question, signal);
    const aheadBytes = AHEAD_BYTES + (address.isTls ? TLS_READ_BYTES : 0);
    using _ahead = await rate.reserve(aheadBytes, signal);
    return await this.#ask(address, question, signal);
  }

  async #ask(
    address: ServerAddress,
    question: Question,
    signal: AbortSignal | undefined,
  ): Promise<Answer> {
    for (;;) {
      if (this.#isClosed) throw closedError();
      const kept = this.#takeIdle(address);
      const connection = kept ?? this.#open(address);
      try {
        return await connection.ask(question, signal);
      } catch (error) {
        if (!kept || connection.gotBytes || signal?.aborted || !isHangUp(error)) throw error;
      } finally {
        this.#keep(address, connection);
      }
    }
  }

  /** Ends all connections, and with them what is being asked. */
  close(): void {
    this.#isClosed = true;
    for (const connection of this.#all) connection.destroy(closedError());
    this.#all.clear();
    this.#idle.clear();
  }

  #open(address: ServerAddress): Connection {
    const connection = new Connection(address, this.#settings);
    this.#all.add(connection);
    return connection;
  }

  #takeIdle(address: ServerAddress): Connection | undefined {
    const idle = this.#idle.get(keyOf(address)) ?? [];
    for (;;) {
      const connection = idle.pop();
      if (!connection) return undefined;
      if (connection.isUsable && isNarrowEnough(connection, this.#settings.rate)) return connection;
      connection.destroy(closedError());
      this.#all.delete(connection);
    }
  }

  #keep(address: ServerAddress, connection: Connection): void {
    if (!connection.isUsable || this.#isClosed) {
      connection.destroy(closedError());
      this.#all.delete(connection);
      return;
    }
    const key = keyOf(address);
    const idle = this.#idle.get(key);
    if (idle) idle.push(connection);
    else this.#idle.set(key, [connection]);
  }
}

/** One that was read faster has room for more than is paid for ahead. */
function isNarrowEnough(connection: Connection, rate: SmoothRate | undefined): boolean {
  const { bytesPerSecond = Number.POSITIVE_INFINITY } = rate ?? {};
  return connection.fastestBytesPerSecond <= bytesPerSecond;
}

function keyOf({ isTls, host, port }: ServerAddress): string {
  return `${isTls ? 'https' : 'http'}://${host}:${port}`;
}

function isHangUp(error: unknown): boolean {
  const code = systemCodeOf(error);
  return code === 'ECONNRESET' || code === 'EPIPE' || code === 'ECONNABORTED';
}

function closedError(): Error {
  return Object.assign(new Error('the connections were closed'), { code: 'ECONNABORTED' });
}
