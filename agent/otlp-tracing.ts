// Traces by OpenTelemetry, sent to a collector by OTLP over HTTP. The only file that imports its
// packages, loaded by tracing.ts alone.
//
// A collector that is away costs spans and nothing else: they wait in a queue that is short, are
// sent by a timer, and are dropped when there is no more room.

import { type Context, ROOT_CONTEXT, type Span as OtelSpan } from '@opentelemetry/api';
import { SpanStatusCode, trace, TraceFlags, type Tracer as OtelTracer } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import {
  defaultResource,
  detectResources,
  envDetector,
  resourceFromAttributes,
} from '@opentelemetry/resources';
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  BatchSpanProcessor,
  type IdGenerator,
  ParentBasedSampler,
  RandomIdGenerator,
  type Sampler,
  type SpanExporter,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from '@opentelemetry/sdk-trace';
import { messageOf } from '#engine/base/errors.ts';
import { packageVersion } from '#engine/base/package-version.ts';
import { settlesWithin } from '#engine/base/settles-within.ts';
import type { Span, SpanValues, TraceParent } from '#agent/moves/move-trace.ts';
import type { Log } from './log.ts';
import type { Tracing } from './tracing.ts';

/** Spans that wait to be sent; a move has about a dozen. */
const SPANS_WAITING_MAX = 2048;
const SPANS_AT_ONCE_MAX = 512;
/** All that waits, at the end, beside what is under way. */
const REQUESTS_AT_ONCE_MAX = 8;
const SEND_EVERY_MS = 5000;
const SEND_MS_MAX = 30_000;
const TEXT_LENGTH_MAX = 1000;
/** Of our values, beside those of OpenTelemetry. */
const PREFIX = 'stevedore.';

export interface OtlpSettings {
  readonly endpoint: URL;
  readonly nodeName: string;
  /** OTEL_TRACES_SAMPLER and its argument; the exporter reads others by itself. */
  readonly environment: Readonly<Record<string, string | undefined>>;
}

export class OtlpTracing implements Tracing {
  readonly #provider: TracerProvider;
  readonly #tracer: OtelTracer;
  readonly #ids = new MoveIds();
  readonly #exporter: SpanExporter;

  constructor({ endpoint, nodeName, environment }: OtlpSettings, log: Log) {
    const url = `${endpoint.href.replace(/\/+$/, '')}/v1/traces`;
    this.#exporter = new OTLPTraceExporter({ url, concurrencyLimit: REQUESTS_AT_ONCE_MAX });
    const version = packageVersion();
    const own = resourceFromAttributes({
      'service.name': 'stevedore-agent',
      'service.version': version,
      'k8s.node.name': nodeName,
    });
    this.#provider = new TracerProvider({
      // OTEL_RESOURCE_ATTRIBUTES and OTEL_SERVICE_NAME count before ours.
      resource: defaultResource()
        .merge(own)
        .merge(detectResources({ detectors: [envDetector] })),
      sampler: samplerOf(environment, log),
      idGenerator: this.#ids,
      spanLimits: { attributeValueLengthLimit: TEXT_LENGTH_MAX },
      spanProcessors: [
        new BatchSpanProcessor({
          exporter: sayingExporter(this.#exporter, log),
          maxQueueSize: SPANS_WAITING_MAX,
          maxExportBatchSize: SPANS_AT_ONCE_MAX,
          scheduledDelayMillis: SEND_EVERY_MS,
          exportTimeoutMillis: SEND_MS_MAX,
        }),
      ],
    });
    this.#tracer = this.#provider.getTracer('stevedore', version);
  }

  begin(
    name: string,
    values: SpanValues,
    { traceId, parent }: { readonly traceId: string; readonly parent?: TraceParent },
  ): Span | undefined {
    this.#ids.next = traceId;
    const span = this.#tracer.startSpan(name, { attributes: named(values) }, contextOf(parent));
    return span.isRecording() ? new OtlpSpan(this.#tracer, span) : undefined;
  }

  async stop(withinMs: number): Promise<void> {
    // That some of it could not be sent has been said; the rest is under way then.
    const sent = this.#provider.shutdown().catch(() => this.#exporter.shutdown());
    await settlesWithin(sent, withinMs).catch(() => undefined);
  }
}

class OtlpSpan implements Span {
  readonly #tracer: OtelTracer;
  readonly #span: OtelSpan;

  constructor(tracer: OtelTracer, span: OtelSpan) {
    this.#tracer = tracer;
    this.#span = span;
  }

  get traceId(): string {
    return this.#span.spanContext().traceId;
  }

  child(name: string, values: SpanValues = {}): Span {
    const context = trace.setSpan(ROOT_CONTEXT, this.#span);
    const span = this.#tracer.startSpan(name, { attributes: named(values) }, context);
    return new OtlpSpan(this.#tracer, span);
  }

  set(values: SpanValues): void {
    this.#span.setAttributes(named(values));
  }

  end(errorCode?: string): void {
    if (errorCode !== undefined) {
      this.#span.setAttribute('error.type', errorCode);
      this.#span.setStatus({ code: SpanStatusCode.ERROR, message: errorCode });
    }
    this.#span.end();
  }
}

/** A trace without a parent gets the id that was chosen for it. */
class MoveIds implements IdGenerator {
  readonly #random = new RandomIdGenerator();
  next = '';

  generateTraceId(): string {
    return this.next;
  }

  generateSpanId(): string {
    return this.#random.generateSpanId();
  }
}

function contextOf(parent: TraceParent | undefined): Context {
  if (parent === undefined) return ROOT_CONTEXT;
  const { traceId, spanId, isSampled } = parent;
  const traceFlags = isSampled ? TraceFlags.SAMPLED : TraceFlags.NONE;
  return trace.setSpanContext(ROOT_CONTEXT, { traceId, spanId, traceFlags, isRemote: true });
}

function named(values: SpanValues): Record<string, string | number | boolean> {
  return Object.fromEntries(
    Object.entries(values).flatMap(([name, value]) =>
      value === undefined ? [] : [[PREFIX + snakeCase(name), value]],
    ),
  );
}

/** As names of attributes are written (OpenTelemetry, "Naming"). */
function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, letter => `_${letter.toLowerCase()}`);
}

/** OpenTelemetry, "Environment Variable Specification", OTEL_TRACES_SAMPLER. */
const SAMPLERS: Readonly<Record<string, (ratio: number) => Sampler>> = Object.freeze({
  always_on: () => new AlwaysOnSampler(),
  always_off: () => new AlwaysOffSampler(),
  traceidratio: (ratio: number) => new TraceIdRatioBasedSampler(ratio),
  parentbased_always_on: () => new ParentBasedSampler({ root: new AlwaysOnSampler() }),
  parentbased_always_off: () => new ParentBasedSampler({ root: new AlwaysOffSampler() }),
  parentbased_traceidratio: (ratio: number) =>
    new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(ratio) }),
});
const SAMPLER_DEFAULT = 'parentbased_always_on';

/** What cannot be understood is said and left aside, as that page wants it. */
function samplerOf(environment: OtlpSettings['environment'], log: Log): Sampler {
  const name = environment.OTEL_TRACES_SAMPLER || SAMPLER_DEFAULT;
  const argument = environment.OTEL_TRACES_SAMPLER_ARG || '1';
  const ratio = Number(argument);
  const isRatio = ratio >= 0 && ratio <= 1;
  const isKnown = Object.hasOwn(SAMPLERS, name);
  if (!isKnown || !isRatio) {
    log.warn({ sampler: name, argument }, 'a setting of sampling is not understood');
  }
  return SAMPLERS[isKnown ? name : SAMPLER_DEFAULT](isRatio ? ratio : 1);
}

/** SUCCESS of ExportResultCode, which is in a package of theirs that they alone need. */
const EXPORTED = 0;

/** Says once that the collector is away, and once that it is there again. */
function sayingExporter(exporter: SpanExporter, log: Log): SpanExporter {
  let isAway = false;
  return {
    export: (spans, done) =>
      exporter.export(spans, result => {
        const hasFailed = Number(result.code) !== EXPORTED;
        if (hasFailed && !isAway) {
          const reason = messageOf(result.error ?? 'no reason was given');
          log.warn({ reason, spans: spans.length }, 'traces cannot be sent, and are dropped');
        }
        if (!hasFailed && isAway) log.info({}, 'traces are sent again');
        isAway = hasFailed;
        done(result);
      }),
    shutdown: () => exporter.shutdown(),
  };
}
