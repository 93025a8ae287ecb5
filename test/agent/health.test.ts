// The HTTP server: what it says, and that nobody can make it grow.

import { request } from 'node:http';
import t, { type Test } from 'tap';
import { type HealthParts, listenForHealth } from '#agent/health.ts';
import { LeftBehind } from '#agent/left-behind.ts';
import { AgentMetrics } from '#agent/metrics.ts';
import { Readiness } from '#agent/readiness.ts';

interface Reply {
  readonly status: number | undefined;
  readonly text: string;
}

async function serve(t: Test, parts: Partial<HealthParts> = {}) {
  const metrics = new AgentMetrics('worker-1');
  const readiness = new Readiness();
  const server = await listenForHealth({
    address: { host: '127.0.0.1', port: 0 },
    readiness,
    registry: metrics.registry,
    onError: () => {},
    ...parts,
  });
  t.teardown(async () => {
    metrics[Symbol.dispose]();
    await server[Symbol.asyncDispose]();
  });
  const ask = (path: string, method = 'GET', headers: Record<string, string> = {}) =>
    new Promise<Reply>((resolve, reject) => {
      const options = { host: '127.0.0.1', port: server.port, path, method, headers, agent: false };
      const asked = request(options, reply => {
        let text = '';
        reply.setEncoding('utf8').on('data', (part: string) => (text += part));
        reply.on('end', () => resolve({ status: reply.statusCode, text }));
      });
      asked.on('error', reject).end();
    });
  return { server, readiness, ask };
}

t.test('metrics, health and readiness are served, and nothing else', async t => {
  const { ask } = await serve(t);
  t.match(await ask('/healthz'), { status: 200, text: 'ok\n' });
  t.match(await ask('/metrics'), { status: 200, text: /^# HELP podVolume_/ });
  t.match(await ask('/'), { status: 404, text: '/readyz' });
  t.match(await ask('/healthz?verbose'), { status: 200 });
  t.match(await ask('/healthz', 'POST'), { status: 405 });
  t.strictSame(await ask('/healthz', 'HEAD'), { status: 200, text: '' });
});

t.test('readiness names what is missing until it is there', async t => {
  const { ask, readiness } = await serve(t);
  t.match(await ask('/readyz'), { status: 503, text: 'not ready\n' }, 'nothing was looked at yet');
  readiness.set('caches', undefined);
  readiness.set('permissions', 'may not list pods; add the verb to the ClusterRole');
  t.strictSame(await ask('/readyz'), {
    status: 503,
    text:
      '[+] caches\n[-] permissions: may not list pods; add the verb to the ClusterRole\n' +
      'not ready\n',
  });
  readiness.set('permissions', undefined);
  t.match(await ask('/readyz'), { status: 200, text: '[+] permissions\nready\n' });
});

t.test('a metric that cannot be read is reported and ends nothing', async t => {
  const errors: unknown[] = [];
  const registry = { contentType: 'text/plain', metrics: () => Promise.reject(new Error('no')) };
  const { ask } = await serve(t, { registry, onError: error => errors.push(error) });
  t.match(await ask('/metrics'), { status: 500 });
  t.match(errors, [{ message: 'no' }]);
  t.match(await ask('/healthz'), { status: 200 });
});

t.test('headers without end are refused', async t => {
  const { ask } = await serve(t);
  t.match(await ask('/healthz', 'GET', { long: 'x'.repeat(20_000) }), { status: 431 });
});

t.test('an address in use is said with what to do', async t => {
  const { server } = await serve(t);
  const address = { host: '127.0.0.1', port: server.port };
  await t.rejects(serve(t, { address }), { code: 'USAGE', message: /--metrics-address another$/ });
});

t.test('what only a new process can cure fails the health check; a note does not', async t => {
  const { ask, readiness } = await serve(t);
  readiness.set('caches', undefined);
  const metrics = new AgentMetrics('worker-1');
  t.teardown(() => metrics[Symbol.dispose]());
  const leftBehind = new LeftBehind({ metrics, readiness });
  leftBehind.changed(1, 2);
  const note = 'threads of 1 repositories are held by volumes that do not answer';
  t.strictSame(await ask('/readyz'), { status: 200, text: `[+] caches\n[!] ${note}\nready\n` });
  t.match(await ask('/healthz'), { status: 200 });
  t.match(await metrics.registry.metrics(), /^stevedore_repositories_left_behind 1$/m);
  leftBehind.changed(2, 2);
  t.match(await ask('/healthz'), { status: 503, text: /^threads of 2 .*; as many as may be\n$/ });
  leftBehind.looksChanged(1, 8);
  t.match(await ask('/readyz'), { text: /2 rep.*; as many as may be; 1 volumes do not say what/ });
  leftBehind.changed(0, 2);
  t.match(await ask('/healthz'), { status: 200 });
  leftBehind.looksChanged(8, 8);
  t.match(await ask('/healthz'), { status: 503, text: /^8 volumes do not say what .* may be\n$/ });
  t.match(await metrics.registry.metrics(), /^stevedore_volume_looks_left_behind 8$/m);
  leftBehind.looksChanged(0, 8);
  t.strictSame(await ask('/readyz'), { status: 200, text: '[+] caches\nready\n' });
});
