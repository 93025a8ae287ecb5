// Traces of moves, where a collector is named for them. What sends them is loaded only then: it
// costs memory and time at the start.

import { messageOf } from '#engine/base/errors.ts';
import type { Tracer } from '#agent/moves/move-trace.ts';
import type { AgentConfig } from './config-table.ts';
import type { Log } from './log.ts';
import type { SecretTexts } from './log-secrets.ts';

export interface Tracing extends Tracer {
  /** Sends what there is, and is given up after that time. Never rejects. */
  stop(withinMs: number): Promise<void>;
}

export interface TracingParts {
  readonly log: Log;
  readonly secrets: Pick<SecretTexts, 'add'>;
}

/** Read by the exporter; the values are often tokens (OpenTelemetry, "OTLP Exporter"). */
const HEADER_VARIABLES = ['OTEL_EXPORTER_OTLP_HEADERS', 'OTEL_EXPORTER_OTLP_TRACES_HEADERS'];

/** Undefined where nothing is to be traced. Whatever is wrong with tracing, moves go on without. */
export async function openTracing(
  { otlpEndpoint: endpoint, nodeName }: Pick<AgentConfig, 'otlpEndpoint' | 'nodeName'>,
  { log, secrets }: TracingParts,
): Promise<Tracing | undefined> {
  if (endpoint === undefined) return undefined;
  for (const value of HEADER_VARIABLES.flatMap(headerValues)) secrets.add(value);
  try {
    const { OtlpTracing } = await import('./otlp-tracing.ts');
    const tracing = new OtlpTracing({ endpoint, nodeName, environment: process.env }, log);
    log.info({ endpoint: endpoint.origin }, 'moves are traced');
    return tracing;
  } catch (error) {
    log.error({ reason: messageOf(error) }, 'moves are not traced');
    return undefined;
  }
}

/** `name=value,…`, percent-encoded. */
function headerValues(variable: string): string[] {
  const pairs = (process.env[variable] ?? '').split(',');
  return pairs.flatMap(pair => {
    const value = pair.slice(pair.indexOf('=') + 1).trim();
    return [value, decoded(value)];
  });
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
