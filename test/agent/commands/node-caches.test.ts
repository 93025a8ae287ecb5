// Caches of nodes as agents tell them, some of which cannot be asked.

import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import t, { type Test } from 'tap';
import { cachesOfAgents } from '#agent/commands/node-caches.ts';
import { messageOf } from '#engine/base/errors.ts';
import { fixedConnection } from '#kube/connection.ts';

const METRICS = 'stevedore_cache_limit_bytes{reason="absolute"} 4\nstevedore_cache_used_bytes 1\n';

async function askedOf(t: Test, count: number, statusOf: (pod: string) => number) {
  const server = createServer((request, response) => {
    const [, pod = ''] = /pods\/([^%:]+)/.exec(request.url ?? '') ?? [];
    response.writeHead(statusOf(pod)).end(METRICS);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  // That of a server that listens.
  const { port } = server.address() as AddressInfo;
  const connection = fixedConnection(new URL(`http://127.0.0.1:${port}`));
  t.teardown(() => {
    connection.close();
    server.close();
  });
  const pods = Array.from({ length: count }, (_, index) => ({
    metadata: { name: `p${index}`, namespace: 'velero' },
    spec: { nodeName: `n${index}`, containers: [{ name: 'node-agent', image: 'stevedore' }] },
    status: { conditions: [{ type: 'Ready', status: 'True' }] },
  }));
  const unseen: string[] = [];
  const signal = new AbortController().signal;
  const caches = await cachesOfAgents({ connection, signal }, pods, async (what, look) => {
    try {
      return await look();
    } catch (error) {
      unseen.push(`${what}: ${messageOf(error)}`);
      return undefined;
    }
  });
  return { caches, unseen };
}

t.test(
  'one that cannot be asked hides none of the others, and what is left out is told',
  async t => {
    const { caches, unseen } = await askedOf(t, 22, pod => (pod === 'p0' ? 500 : 200));
    t.equal(caches.length, 19);
    t.match(caches[0], { usedBytes: 1, limitBytes: 4 });
    t.match(unseen, [
      /^cache of node n0: /,
      /^caches of 2 further nodes: without a controller 20 /,
    ]);
  },
);

t.test('where many cannot be asked, or one may not, the rest is not', async t => {
  t.equal((await askedOf(t, 9, () => 500)).unseen.length, 3);
  t.equal((await askedOf(t, 9, () => 403)).unseen.length, 1);
});
