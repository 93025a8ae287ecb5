// `pods/portforward` over a WebSocket, as a kubelet serves it (kubernetes
// pkg/kubelet/cri/streaming/portforward/websocket.go): two channels, data and errors, the first
// two bytes of each are the port. RFC 6455 as far as that takes it.

import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import type { Duplex } from 'node:stream';

const PATH = /^\/api\/v1\/namespaces\/([^/]+)\/pods\/([^/]+)\/portforward$/;
/** RFC 6455 §1.3 */
const ACCEPT_SUFFIX = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
const PROTOCOL = 'v4.channel.k8s.io';
const [BINARY, CLOSE] = [2, 8];

export interface Forwarded {
  readonly namespace: string;
  readonly pod: string;
  readonly port: number;
}

/** Undefined where it is something else. */
export function forwardedPort(url: string | undefined): Forwarded | undefined {
  const { pathname, searchParams } = new URL(url ?? '/', 'http://emulator');
  const [, namespace, pod] = PATH.exec(pathname) ?? [];
  if (namespace === undefined || pod === undefined) return undefined;
  return { namespace, pod, port: Number(searchParams.get('ports')) };
}

/** It is a WebSocket from then on (§4.2.2). */
export function welcome(request: IncomingMessage, client: Duplex): void {
  const key = `${request.headers['sec-websocket-key'] ?? ''}${ACCEPT_SUFFIX}`;
  const accept = createHash('sha1').update(key).digest('base64');
  client.write(
    'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
      `Sec-WebSocket-Accept: ${accept}\r\nSec-WebSocket-Protocol: ${PROTOCOL}\r\n\r\n`,
  );
}

/** To that port of this machine. */
export function forward(request: IncomingMessage, client: Duplex, port: number): void {
  welcome(request, client);
  const tell = (channel: number, bytes: Uint8Array) => client.write(message(channel, bytes));
  const portBytes = Buffer.alloc(2);
  portBytes.writeUInt16LE(port);
  tell(0, portBytes);
  tell(1, portBytes);
  const pod = connect(port, '127.0.0.1');
  pod.on('data', bytes => tell(0, bytes));
  pod.on('error', ({ message }) => tell(1, Buffer.from(`error forwarding port: ${message}`)));
  pod.on('close', () => client.end(frame(CLOSE, Buffer.alloc(0))));
  let read: Buffer = Buffer.alloc(0);
  client.on('data', (bytes: Buffer) => {
    read = Buffer.concat([read, bytes]);
    for (let next = parsed(read); next !== undefined; next = parsed(read)) {
      read = read.subarray(next.length);
      if (next.opcode === BINARY && next.payload[0] === 0) pod.write(next.payload.subarray(1));
      if (next.opcode === CLOSE) pod.end();
    }
  });
  client.on('close', () => pod.destroy());
  client.on('error', () => pod.destroy());
}

/** Of one of the channels. */
export function message(channel: number, bytes: Uint8Array): Buffer {
  return frame(BINARY, Buffer.concat([Buffer.of(channel), bytes]));
}

function frame(opcode: number, payload: Uint8Array): Buffer {
  const head = Buffer.alloc(10);
  head[0] = 0x80 | opcode;
  if (payload.length < 126)
    return Buffer.concat([Buffer.of(0x80 | opcode, payload.length), payload]);
  head[1] = 127;
  head.writeBigUInt64BE(BigInt(payload.length), 2);
  return Buffer.concat([head, payload]);
}

/** Undefined until all of it is there. What clients send is masked (§5.3). */
function parsed(bytes: Buffer) {
  if (bytes.length < 6) return undefined;
  const short = (bytes[1] ?? 0) & 0x7f;
  const sizeBytes = short === 126 ? 2 : short === 127 ? 8 : 0;
  const start = 2 + sizeBytes + 4;
  if (bytes.length < start) return undefined;
  const size =
    short === 126
      ? bytes.readUInt16BE(2)
      : short === 127
        ? Number(bytes.readBigUInt64BE(2))
        : short;
  if (bytes.length < start + size) return undefined;
  const mask = bytes.subarray(start - 4, start);
  const payload = bytes
    .subarray(start, start + size)
    .map((byte, index) => byte ^ (mask[index % 4] ?? 0));
  return { opcode: (bytes[0] ?? 0) & 0x0f, payload, length: start + size };
}
