// A Prometheus as a process of its own that scrapes programs of the test and evaluates the chart's
// alerts every second.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { ALERTS_FILE } from '#test/charts/alert-rules.ts';
import { freePort } from '#test/servers/start.ts';
import { prometheusProgram } from './prometheus-programs.ts';

export interface ScrapeTarget {
  /** `127.0.0.1:8085` */
  readonly address: string;
  readonly path?: string;
  /** As the PodMonitor of the chart makes them. */
  readonly labels: Readonly<Record<string, string>>;
}

export interface Alert {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly state: 'pending' | 'firing';
}

export interface Sample {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: readonly [number, string];
}

export interface PrometheusOptions {
  readonly targets: readonly ScrapeTarget[];
  readonly everySeconds: number;
}

const START_MS_MAX = 30_000;
const LOOK_EVERY_MS = 100;

export class PrometheusServer implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #address: string;

  /** @param directory empty, for its files */
  static async start(directory: string, options: PrometheusOptions): Promise<PrometheusServer> {
    const { targets, everySeconds } = options;
    // So that nobody waits for half an hour: what is to hold for some time holds for two seconds.
    const rules = readFileSync(ALERTS_FILE, 'utf8').replace(/^( +for:) \d+m$/gm, '$1 2s');
    writeFileSync(join(directory, 'alerts.yaml'), rules);
    const every = `${everySeconds}s`;
    const job = (target: ScrapeTarget, index: number) => ({
      job_name: `target-${index}`,
      metrics_path: target.path ?? '/metrics',
      static_configs: [{ targets: [target.address], labels: target.labels }],
      metric_relabel_configs: [{ action: 'labeldrop', regex: 'exported_node' }],
    });
    const config = {
      global: { scrape_interval: every, scrape_timeout: every, evaluation_interval: every },
      rule_files: [join(directory, 'alerts.yaml')],
      scrape_configs: targets.map(job),
    };
    // JSON is YAML.
    writeFileSync(join(directory, 'prometheus.yaml'), JSON.stringify(config));
    const server = new PrometheusServer(directory, `127.0.0.1:${await freePort()}`);
    await server.until('ready', async () => (await server.#get('/-/ready')).ok, START_MS_MAX);
    return server;
  }

  private constructor(directory: string, address: string) {
    this.#address = address;
    this.#child = spawn(
      prometheusProgram('prometheus'),
      [
        `--config.file=${join(directory, 'prometheus.yaml')}`,
        `--storage.tsdb.path=${join(directory, 'data')}`,
        ...[`--web.listen-address=${address}`, '--log.level=error'],
      ],
      { stdio: ['ignore', 'inherit', 'inherit'] },
    );
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** What an instant query gives now. @throws Error with what Prometheus says of the query */
  async query(expr: string): Promise<Sample[]> {
    const answer = await this.#get(`/api/v1/query?query=${encodeURIComponent(expr)}`);
    // Prometheus' HTTP API: an instant vector, as all of our queries are.
    const { data, error } = (await answer.json()) as {
      readonly data?: { readonly result: Sample[] };
      readonly error?: string;
    };
    if (data === undefined) throw new Error(`${expr}: ${error ?? answer.statusText}`);
    return data.result;
  }

  /** How long the server took for a graph of the last so many seconds, a point for each. */
  async graphMs(expr: string, seconds: number): Promise<number> {
    const end = Date.now() / 1000;
    const range = `start=${end - seconds}&end=${end}&step=1`;
    const startMs = performance.now();
    const answer = await this.#get(
      `/api/v1/query_range?${range}&query=${encodeURIComponent(expr)}`,
    );
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${expr}: ${text.slice(0, 200)}`);
    return performance.now() - startMs;
  }

  /** The value of what has one series, NaN where there is none. */
  async value(expr: string): Promise<number> {
    const [sample] = await this.query(expr);
    return Number(sample?.value[1] ?? NaN);
  }

  async alerts(): Promise<readonly Alert[]> {
    const answer = await this.#get('/api/v1/alerts');
    return ((await answer.json()) as { readonly data: { readonly alerts: Alert[] } }).data.alerts;
  }

  async until(what: string, isSo: () => Promise<boolean>, withinMs: number): Promise<void> {
    const endMs = performance.now() + withinMs;
    while (!(await isSo().catch(() => false))) {
      if (performance.now() > endMs) throw new Error(`not within ${withinMs} ms: ${what}`);
      if (this.#child.exitCode !== null) throw new Error('Prometheus has ended');
      await delay(LOOK_EVERY_MS);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null) return;
    const ended = once(this.#child, 'exit');
    this.#child.kill('SIGTERM');
    await ended;
  }

  #get(path: string): Promise<Response> {
    return fetch(`http://${this.#address}${path}`);
  }
}
