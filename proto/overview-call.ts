// An overview that is asked for, at the controller's end. Whoever gets it answers or refuses it.

import type { EngineError } from '#engine/base/errors.ts';
import { bearerToken } from './bearer-token.ts';
import type { sendUnaryData, ServerUnaryCall } from './grpc.ts';
import { statusOf } from './wire-errors.ts';

type Bytes = ServerUnaryCall<Buffer, Buffer>;

export class OverviewCall {
  readonly #call: Bytes;
  readonly #send: sendUnaryData<Buffer>;

  constructor(call: Bytes, send: sendUnaryData<Buffer>) {
    this.#call = call;
    this.#send = send;
  }

  /** Without its port. */
  get address(): string {
    return this.#call.getPeer().replace(/:\d+$/, '');
  }

  /** Undefined where there is none. Nobody has looked at it. */
  get token(): string | undefined {
    return bearerToken(this.#call.metadata);
  }

  /** `bytes` as encodeOverview made them. */
  answer(bytes: Buffer): void {
    this.#send(null, bytes);
  }

  refuse(error: EngineError): void {
    this.#send(Object.assign(new Error(error.message), statusOf(error)));
  }
}
