// A connection to the controller, before anything is said: TLS with the certificates of that
// moment, or plain text within the machine.

import { createSecureContext } from 'node:tls';
import { EngineError } from '#engine/base/errors.ts';
import { type ChannelCredentials, Client, credentials } from './grpc.ts';
import { isLoopback } from './loopback.ts';
import { KEEP_ALIVE_ANSWER_MS, KEEP_ALIVE_MS, TRANSPORT_BYTES_MAX } from './wire-limits.ts';

/** Certificates (PEM) that the controller's must be signed by, or plain text and a promise. */
export type ClientTrust =
  | { readonly caPem: string }
  /** Only to an address of the loopback interface. */
  | { readonly plainText: true };

export interface DialTarget {
  readonly host: string;
  readonly port: number;
  readonly trust: ClientTrust;
  /** That its certificate is for, where it is reached by another one: through a tunnel. */
  readonly serverName?: string | undefined;
  readonly keepAliveMs?: number;
}

/** To be closed. @throws COORDINATOR_TLS_INVALID, USAGE for plain text that leaves the machine */
export function dial(target: DialTarget): Client {
  const { host, port } = target;
  const address = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
  return new Client(address, credentialsOf(target), channelOptions(target));
}

function credentialsOf({ host, trust }: DialTarget): ChannelCredentials {
  if (!('plainText' in trust)) {
    try {
      const context = createSecureContext({ ca: trust.caPem, minVersion: 'TLSv1.3' });
      return credentials.createFromSecureContext(context);
    } catch (error) {
      const what = 'the certificates to know the controller by cannot be used';
      throw new EngineError('COORDINATOR_TLS_INVALID', what, { cause: error });
    }
  }
  if (isLoopback(host)) return credentials.createInsecure();
  const what = `plain text to ${host} would show the token to the network`;
  throw new EngineError('USAGE', `${what}; it is for addresses such as 127.0.0.1 alone`);
}

function channelOptions({ keepAliveMs = KEEP_ALIVE_MS, serverName }: DialTarget) {
  return {
    'grpc.keepalive_time_ms': keepAliveMs,
    'grpc.keepalive_timeout_ms': Math.min(KEEP_ALIVE_ANSWER_MS, keepAliveMs),
    'grpc.max_receive_message_length': TRANSPORT_BYTES_MAX,
    'grpc.max_send_message_length': TRANSPORT_BYTES_MAX,
    // One connection for each session, which goes with it.
    'grpc.use_local_subchannel_pool': 1,
    'grpc.enable_retries': 0,
    'grpc.service_config_disable_resolution': 1,
    'grpc.enable_channelz': 0,
    // A proxy is for ways out of the cluster.
    'grpc.enable_http_proxy': 0,
    ...(serverName === undefined ? {} : { 'grpc.ssl_target_name_override': serverName }),
  };
}
