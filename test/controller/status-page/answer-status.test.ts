// The page of a whole controller over HTTP: who is answered, with which headers, and what one says
// that stands by.

import t from 'tap';
import { startController } from '#test/controller/controller-scene.ts';
import { rawRequest, startStatus } from '#test/pages/status-scene.ts';

const HEADERS = {
  'content-type': 'text/html; charset=utf-8',
  'x-content-type-options': 'nosniff',
  'cache-control': 'no-store',
  'x-frame-options': 'DENY',
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
};

t.test('a leader shows what its agents say, by GET and HEAD alone', async t => {
  const { url } = await startStatus(t, { nodes: 3, slots: 2 });
  const answer = await fetch(url);
  const page = await answer.text();
  t.equal(answer.status, 200);
  for (const [name, value] of Object.entries(HEADERS)) t.equal(answer.headers.get(name), value);
  const policy = answer.headers.get('content-security-policy') ?? '';
  t.match(policy, /^default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'/);
  t.notMatch(policy, 'unsafe');
  t.match(page, '3 nodes, 1 in trouble, 1 to look at; 2 moves run; 4 volumes wait; 1 failure.');
  t.match(page, 'its credentials and the policy of the bucket', 'of a failure an agent told');
  t.match(page, /always open[^]*holds now/);
  const head = await fetch(url, { method: 'HEAD' });
  t.equal(await head.text(), '');
  t.equal(head.headers.get('content-type'), HEADERS['content-type']);
  for (const method of ['POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS']) {
    const refused = await fetch(url, { method });
    t.equal(refused.status, 405, method);
    t.equal(refused.headers.get('allow'), 'GET, HEAD');
  }
  t.equal((await fetch(`${url}metrics`)).status, 404);
});

t.test('it answers to its own names alone, so that no other page can be one with it', async t => {
  const { status } = await startStatus(t, { nodes: 1, slots: 1 });
  const ask = (host: string) =>
    rawRequest(status, `GET / HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
  for (const host of ['localhost:8087', '127.0.0.1', '[::1]:8087', 'LOCALHOST']) {
    t.match(await ask(host), /^HTTP\/1.1 200 /, host);
  }
  for (const host of ['evil.example', '127.0.0.1.evil.example', '10.0.0.1', '', 'a@localhost']) {
    const answer = await ask(host);
    t.match(answer, /^HTTP\/1.1 421 /, host);
    t.notMatch(answer, 'ip-10-0');
  }
  const long = `GET /?${'x'.repeat(20_000)} HTTP/1.1\r\nHost: localhost\r\n\r\n`;
  t.match(await rawRequest(status, long), /^HTTP\/1.1 431 /);
});

t.test('one that stands by shows nothing of the cluster and names who leads', async t => {
  const leader = await startController(t);
  const other = await startController(t, [], [], { api: leader.api });
  const { port } = await other.log.says('the status page is served');
  const page = await (await fetch(`http://127.0.0.1:${String(port)}/`)).text();
  t.match(page, /This controller stands by\. [^ ]+ leads\./);
  t.match(page, /kubectl -n velero port-forward pod\/[^ ]+ \d+</);
  t.notMatch(page, 'Running moves');
});

t.test('that it cannot be served keeps no controller from its work', async t => {
  const first = await startStatus(t, { nodes: 1, slots: 1 });
  const second = await startController(t, ['--status-address', `127.0.0.1:${first.status}`]);
  t.match(await second.log.says('the status page is not served'), {
    error: { message: /--status-address another$/ },
  });
  const none = await startController(t, ['--status-address', 'none']);
  t.notOk(none.log.lines.some(line => line.includes('the status page')));
});
