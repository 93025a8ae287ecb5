// A collector of traces on the loopback interface: keeps the spans that come by OTLP in JSON.

import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import type { Test } from 'tap';

export interface ReceivedSpan {
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  /** By name, those of the process among them. */
  readonly values: Readonly<Record<string, unknown>>;
  readonly startNs: bigint;
  readonly endNs: bigint;
}

/** How a request is answered: by that status, or never. */
type Answer = number | 'never';

interface Attribute {
  readonly key: string;
  readonly value: Readonly<Record<string, unknown>>;
}

interface SentSpan extends Omit<ReceivedSpan, 'values' | 'startNs' | 'endNs'> {
  readonly attributes: readonly Attribute[];
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
}

/** opentelemetry-proto, ExportTraceServiceRequest. */
interface TraceRequest {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly Attribute[] };
    readonly scopeSpans: readonly { readonly spans: readonly SentSpan[] }[];
  }[];
}

export class OtlpReceiver {
  readonly spans: ReceivedSpan[] = [];
  readonly requests: { readonly path?: string; readonly headers: IncomingMessage['headers'] }[] =
    [];
  answer: Answer;
  readonly #server = createServer((request, response) => void this.#take(request, response));

  private constructor(answer: Answer) {
    this.answer = answer;
  }

  static async start(t: Test, answer: Answer = 200): Promise<OtlpReceiver> {
    const receiver = new OtlpReceiver(answer);
    receiver.#server.listen(0, '127.0.0.1');
    await once(receiver.#server, 'listening');
    t.teardown(() => receiver.stop());
    return receiver;
  }

  get url(): string {
    const { port } = this.#server.address() as AddressInfo; // It listens to a port.
    return `http://127.0.0.1:${port}`;
  }

  stop(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  named(name: string): ReceivedSpan[] {
    return this.spans.filter(span => span.name === name);
  }

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    // What comes is what the exporter makes of the type.
    const body = (await json(request)) as TraceRequest;
    this.requests.push({ path: request.url, headers: request.headers });
    if (this.answer === 200) this.spans.push(...spansOf(body));
    if (this.answer !== 'never') response.writeHead(this.answer).end('{}');
  }
}

function spansOf({ resourceSpans }: TraceRequest): ReceivedSpan[] {
  return resourceSpans.flatMap(({ resource, scopeSpans }) =>
    scopeSpans.flatMap(({ spans }) =>
      spans.map(({ attributes, startTimeUnixNano, endTimeUnixNano, ...span }) => ({
        ...span,
        values: valuesOf([...resource.attributes, ...attributes]),
        startNs: BigInt(startTimeUnixNano),
        endNs: BigInt(endTimeUnixNano),
      })),
    ),
  );
}

function valuesOf(attributes: readonly Attribute[]): Record<string, unknown> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]));
}
