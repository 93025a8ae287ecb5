// Services of a protocol on a socket of the file system, each method a function from request to
// response. Methods that a driver does not have are answered so by gRPC itself.

import { mkdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { messageOf } from '#engine/base/errors.ts';
import {
  loadSync,
  Server,
  ServerCredentials,
  status,
  type MethodDefinition,
  type sendUnaryData,
  type ServerUnaryCall,
  type UntypedHandleCall,
} from '#proto/grpc.ts';
import { clusterProgram } from '#test/cluster/cluster-programs.ts';

type Method = (request: never) => object | Promise<object>;

export interface Service {
  /** Below csi-protocols, as test/csi/build.sh puts it there. */
  readonly file: 'csi.proto' | 'pluginregistration.proto';
  /** `csi.v1.Identity` */
  readonly name: string;
  /** By their names in the protocol, with a small letter first. */
  readonly methods: Readonly<Record<string, Method>>;
}

/** An answer that is none of success, with the code that the specification asks for. */
export class RpcError extends Error {
  override readonly name = 'RpcError';
  readonly code: status;

  constructor(code: keyof typeof status, message: string) {
    super(message);
    this.code = status[code];
  }
}

/** Resolves when it listens, to what stops it. */
export async function serveOn(
  socket: string,
  services: readonly Service[],
): Promise<AsyncDisposable> {
  const server = new Server();
  for (const service of services) register(server, service);
  mkdirSync(dirname(socket), { recursive: true });
  rmSync(socket, { force: true });
  const bind = promisify(server.bindAsync.bind(server));
  await bind(`unix:${socket}`, ServerCredentials.createInsecure());
  return {
    async [Symbol.asyncDispose]() {
      server.forceShutdown();
      rmSync(socket, { force: true });
    },
  };
}

function register(server: Server, { file, name, methods }: Service): void {
  const protocol = loadSync(join(clusterProgram('csi-protocols'), file), READING)[name];
  if (protocol === undefined) throw new Error(`${file} has no ${name}`);
  // Of a service the loader makes its methods.
  for (const method of Object.values(protocol) as MethodDefinition<object, object>[]) {
    const { path, originalName = '', responseSerialize, requestDeserialize } = method;
    const run = methods[originalName];
    if (run === undefined) continue;
    const handle = (call: ServerUnaryCall<object, object>, send: sendUnaryData<object>) =>
      void answer(run, call.request).then(...sending(send));
    // The type of a handler is that of any handler (UntypedHandleCall is handleCall<any, any>).
    const untyped: UntypedHandleCall = handle;
    server.register(path, untyped, responseSerialize, requestDeserialize, 'unary');
  }
}

async function answer(run: Method, request: object): Promise<object> {
  // It is the one of this method, which the protocol describes.
  return run(request as never);
}

function sending(send: sendUnaryData<object>) {
  return [
    (response: object) => send(null, response),
    (error: unknown) => {
      const code = error instanceof RpcError ? error.code : status.INTERNAL;
      send({ code, details: messageOf(error) });
    },
  ] as const;
}

/** Sizes are below 2^53; what is absent is undefined where a message is expected. */
const READING = Object.freeze({ longs: Number, enums: String, defaults: true, oneofs: true });
