// Metrics as tables: a row names one and says where its value comes from when somebody asks. The
// only file that imports prom-client.

import { Counter, Gauge, Histogram, Registry } from 'prom-client';

export { Counter, Gauge, Histogram, Registry };

/** Values of the labels, in the order of the row's `labels`, and the number. */
export type Reading = readonly [labels: readonly string[], value: number];

export interface MetricRow<Source> {
  /** With its unit at the end; a counter's ends in `_total`. */
  readonly name: string;
  readonly kind: 'gauge' | 'counter';
  readonly help: string;
  readonly labels?: readonly string[];
  /** What holds now; nothing for what is not known. */
  readonly read: (source: Source) => Iterable<Reading>;
}

/**
 * `sourceNow` is called once for each scrape.
 * @throws Error when a name is there already
 */
export function registerMetrics<Source>(
  registry: Registry,
  rows: readonly MetricRow<Source>[],
  sourceNow: () => Source,
): void {
  let taken: { readonly source: Source } | undefined;
  const source = (): Source => {
    // All rows of one scrape are read in one turn of the event loop.
    if (taken === undefined) {
      taken = { source: sourceNow() };
      setImmediate(() => (taken = undefined));
    }
    return taken.source;
  };
  for (const row of rows) registerMetric(registry, row, source);
}

function registerMetric<Source>(
  registry: Registry,
  { name, kind, help, labels = [], read }: MetricRow<Source>,
  source: () => Source,
): void {
  const named = (values: readonly string[]): Record<string, string> =>
    Object.fromEntries(labels.map((label, index) => [label, values[index]]));
  const common = { name, help, labelNames: [...labels], registers: [registry] };
  if (kind === 'gauge') {
    new Gauge({
      ...common,
      collect() {
        this.reset();
        if (labels.length === 0) this.remove();
        for (const [values, value] of read(source())) this.set(named(values), value);
      },
    });
    return;
  }
  new Counter({
    ...common,
    collect() {
      this.reset();
      for (const [values, value] of read(source())) this.inc(named(values), value);
    },
  });
}
