// `/metrics`, `/healthz` and `/readyz` on one small HTTP server. Everybody in the cluster may ask,
// and nothing of what they say is used.

import { type Answer, BoundedServer } from './bounded-server.ts';
import type { ListenAddress } from './config-values.ts';
import type { Log } from './log.ts';
import type { Readiness } from './readiness.ts';

export interface HealthParts {
  readonly address: ListenAddress;
  readonly readiness: Pick<Readiness, 'isReady' | 'text' | 'fault'>;
  /** Prometheus' text, and its content type. */
  readonly registry: { metrics(): Promise<string>; readonly contentType: string };
  /** Of what could not be answered. */
  readonly onError: (error: unknown) => void;
}

/** As each program of ours that stays begins. @throws USAGE; see BoundedServer.listen */
export async function serveHealth({
  log,
  ...parts
}: Omit<HealthParts, 'onError'> & { readonly log: Log }): Promise<BoundedServer> {
  const onError = (error: unknown): void => log.warn({ error }, 'health server failed');
  const health = await listenForHealth({ ...parts, onError });
  log.info({ port: health.port }, 'metrics are served');
  return health;
}

/** @throws USAGE; see BoundedServer.listen */
export function listenForHealth(parts: HealthParts): Promise<BoundedServer> {
  const { address, onError } = parts;
  const answer = ({ path }: { readonly path: string }) => answerTo(parts, path);
  return BoundedServer.listen({ address, flag: '--metrics-address', onError, answer });
}

async function answerTo(
  { readiness, registry, onError }: HealthParts,
  path: string,
): Promise<Answer> {
  switch (path) {
    case '/healthz':
      return readiness.fault === undefined
        ? { status: 200, body: 'ok\n' }
        : { status: 503, body: `${readiness.fault}\n` };
    case '/readyz':
      return { status: readiness.isReady ? 200 : 503, body: readiness.text };
    case '/metrics':
      try {
        return { status: 200, body: await registry.metrics(), type: registry.contentType };
      } catch (error) {
        onError(error);
        return { status: 500, body: 'the metrics cannot be read; the log says why\n' };
      }
    default:
      return { status: 404, body: 'there are /metrics, /healthz and /readyz\n' };
  }
}
