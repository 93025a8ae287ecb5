// What every program of ours that stays tells of its process.

import type { Clock } from '#engine/base/clock.ts';
import { Counter, Gauge, Histogram, type Registry } from './prometheus.ts';

const LAG_BUCKETS = [0.005, 0.02, 0.05, 0.1, 0.25, 1, 5];
const LAG_INTERVAL_MS = 1000;

/** Looks at the lag until disposed. */
export function addProcessMetrics(registry: Registry, clock: Clock): Disposable {
  addProcess(registry);
  return watchLag(registry, clock);
}

/** Under the names that Prometheus' client libraries share. */
function addProcess(registry: Registry): void {
  const registers = [registry];
  new Gauge({
    name: 'process_resident_memory_bytes',
    help: 'Resident memory',
    registers,
    collect() {
      this.set(process.memoryUsage.rss());
    },
  });
  new Gauge({
    name: 'process_start_time_seconds',
    help: 'When the process was started',
    registers,
  }).set((Date.now() - performance.now()) / 1000);
  new Counter({
    name: 'process_cpu_seconds_total',
    help: 'Processor time, of all threads',
    registers,
    collect() {
      const { user, system } = process.cpuUsage();
      this.reset();
      this.inc((user + system) / 1e6);
    },
  });
}

/** How late a timer is, once a second: prom-client's own asks a hundred times. */
function watchLag(registry: Registry, clock: Clock): Disposable {
  const lag = new Histogram({
    name: 'stevedore_event_loop_lag_seconds',
    help: 'How late the main thread gets to what is due',
    buckets: LAG_BUCKETS,
    registers: [registry],
  });
  let dueMs = clock.monotonic() + LAG_INTERVAL_MS;
  const timer = setInterval(() => {
    const nowMs = clock.monotonic();
    lag.observe(Math.max(0, nowMs - dueMs) / 1000);
    dueMs = nowMs + LAG_INTERVAL_MS;
  }, LAG_INTERVAL_MS).unref();
  return {
    [Symbol.dispose]() {
      clearInterval(timer);
    },
  };
}
