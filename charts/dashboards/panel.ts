// A panel as a row of a table. What is not said of it is the same for all.

/** Of Grafana's units: bytes of 1024, a second of them, a share of 1, events a second, a count. */
export type Unit = 'bytes' | 'binBps' | 'percentunit' | 's' | 'ops' | 'short';

export interface Query {
  /** PromQL, with `$node` for the nodes that are looked at, and Grafana's `$__rate_interval`. */
  readonly expr: string;
  /** Of a series, with `{{label}}`; of a column of a table what stands above it. */
  readonly legend: string;
  /** Of this column, where it is another. */
  readonly unit?: Unit;
}

export interface Panel {
  /** `stack`: series that are parts of one thing. */
  readonly kind: 'lines' | 'stack' | 'stat' | 'table';
  readonly title: string;
  /** What it is for, and what to do about it. */
  readonly description: string;
  readonly unit: Unit;
  /** Of 24. */
  readonly width: number;
  /** A table is sorted by the first of them, the least first. */
  readonly queries: readonly Query[];
}

export interface DashboardTable {
  /** Of the file and of its address in Grafana. */
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly panels: readonly Panel[];
}
