// A cluster of 500 nodes as Prometheus sees it: a controller with the sessions of 500 agents, and
// what a real agent serves, once for each of them. What a scrape weighs, and how long the queries
// of the dashboards take.

import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { randomBytes } from 'node:crypto';
import t, { type Test } from 'tap';
import { panelQueries } from '#test/charts/dashboard-queries.ts';
import { startStatus } from '#test/pages/status-scene.ts';
import { ObservedCluster } from './observed-cluster.ts';
import { isMissing } from './prometheus-programs.ts';
import { PrometheusServer } from './prometheus-server.ts';

const skip = isMissing('prometheus');
const AGENTS = 500;
const EVERY_SECONDS = 5;
const GRAPH_SECONDS = 20;
const QUERY_MS_MAX = 1_000;
const SCRAPE_BYTES_MAX = 100_000;
const SCRAPED_MS_MAX = 120_000;

/** Of an agent that has moved something, each metric of it. */
async function servedByAnAgent(t: Test, cluster: ObservedCluster): Promise<string> {
  const { port } = await cluster.startController('clusterSlots: 8\n');
  const agent = await cluster.startAgent('model', port, '64MiB');
  const backup = await cluster.backUp(cluster.pod('model', { file: randomBytes(2 ** 20) }));
  const restored = cluster.pod('model', {}, { isRestored: true });
  t.match(await cluster.restore(restored, String(backup?.snapshotID)), { phase: 'Completed' });
  const failed = cluster.pod('model', {}, { isRestored: true });
  t.match(await cluster.restore(failed, 'f'.repeat(32)), { phase: 'Failed' });
  const text = await agent.scrape();
  await agent.process.end('SIGTERM');
  return text;
}

/** At `/N` as agent N. */
async function serveAll(t: Test, text: string): Promise<number> {
  const server = createServer(({ url = '/' }, response) => {
    response.setHeader('content-type', 'text/plain; version=0.0.4');
    response.end(text.replaceAll('"model"', `"node-${url.slice(1)}"`));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  // Of a TCP server that listens, the address is an AddressInfo (node:net).
  return (server.address() as AddressInfo).port;
}

t.test('dashboards of 500 nodes are answered within a second', { skip }, async t => {
  const cluster = await ObservedCluster.start(t);
  const text = await servedByAnAgent(t, cluster);
  t.ok(text.length < SCRAPE_BYTES_MAX, `a scrape of an agent has ${text.length} bytes`);
  const agents = `127.0.0.1:${await serveAll(t, text)}`;
  const controller = await startStatus(t, { nodes: AGENTS, slots: 100 });
  const { port } = await controller.log.says('metrics are served');
  const ofController = await controller.served('/metrics');
  const nodes = ofController.match(/^stevedore_controller_node_cache_used_bytes\{/gm);
  t.equal(nodes?.length, AGENTS);
  t.comment(`a scrape of the controller has ${ofController.length} bytes`);
  const namespace = 'velero';
  const targets = Array.from({ length: AGENTS }, (_, index) => ({
    ...{ address: agents, path: `/${index}` },
    labels: { namespace, node: `node-${index}`, pod: `node-agent-${index}` },
  }));
  const labels = { namespace, node: '', pod: 'stevedore-controller' };
  await using prometheus = await PrometheusServer.start(cluster.prometheusDirectory, {
    targets: [...targets, { address: `127.0.0.1:${String(port)}`, path: '/metrics', labels }],
    everySeconds: EVERY_SECONDS,
  });
  const scraped = 'count(count_over_time(up[1h]) >= 4 and up == 1)';
  const areAll = async () => (await prometheus.value(scraped)) === AGENTS + 1;
  await prometheus.until('all are scraped four times', areAll, SCRAPED_MS_MAX);
  const took: { name: string; ms: number }[] = [];
  for (const { name, expr } of panelQueries('15s')) {
    took.push({ name, ms: await prometheus.graphMs(expr, GRAPH_SECONDS) });
  }
  took.sort((one, other) => other.ms - one.ms);
  for (const { name, ms } of took.slice(0, 5)) t.comment(`${Math.round(ms)} ms: ${name}`);
  for (const { name, ms } of took) t.ok(ms < QUERY_MS_MAX, `${name}: ${Math.round(ms)} ms`);
});
