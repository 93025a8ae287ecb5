// What the SDK's requests go over: connections that are kept between them. A server may end one
// just when it is used again; then nothing is wrong, and who asks again gets another.

import type { ClientRequest } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import type { Duplex } from 'node:stream';
import { systemCodeOf } from '#engine/base/errors.ts';
import { nodeHttp } from '#engine/base/node-http.ts';

const onKeptOnes = new WeakSet<Error>();

/** Whether a kept connection ended before a word of the answer came. */
export function isKeptHangUp(error: unknown): boolean {
  const code = systemCodeOf(error);
  const isHangUp = code === 'ECONNRESET' || code === 'EPIPE';
  return isHangUp && error instanceof Error && onKeptOnes.has(error);
}

export class KeepingHttpAgent extends nodeHttp.Agent {
  override reuseSocket(socket: Duplex, request: ClientRequest): void {
    super.reuseSocket(socket, request);
    request.once('error', error => onKeptOnes.add(error));
  }
}

export class KeepingHttpsAgent extends HttpsAgent {
  override reuseSocket(socket: Duplex, request: ClientRequest): void {
    super.reuseSocket(socket, request);
    request.once('error', error => onKeptOnes.add(error));
  }
}
