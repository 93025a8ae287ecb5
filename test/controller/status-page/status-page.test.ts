// What stands on the page, without a browser.

import t from 'tap';
import { ERROR_CODES } from '#engine/base/error-codes.ts';
import { adviceOf } from '#controller/status-page/advice.ts';
import { html } from '#controller/status-page/html.ts';
import { byTrouble } from '#controller/status-page/node-trouble.ts';
import { parseQuery } from '#controller/status-page/page-query.ts';
import { standbyPage, statusPage } from '#controller/status-page/status-page.ts';
import type { StatusView } from '#controller/status-page/status-view.ts';
import { OVERVIEW } from '#test/controller/overview/sample-overview.ts';
import { FAILURE, GIB, nodeWith, NOW_MS, viewWith } from './sample-view.ts';

const pageOf = (view: StatusView, query = '') => statusPage(view, parseQuery(query));

t.test('what stands in a template is text, unless a template made it', async t => {
  const hostile = `<b onclick='x'>&"`;
  const own = html`<i title="${hostile}">${[html`<u>${1}</u>`, undefined, ' 2']}</i>`;
  const text = '&lt;b onclick=&#39;x&#39;&gt;&amp;&quot;';
  t.equal(own.markup, `<i title="${text}"><u>1</u> 2</i>`);
  t.equal(html`${'a\u202eb\u0000'}`.markup, 'a\\u202eb\\x00');
});

t.test('names and messages of others are nothing but text, wherever they stand', async t => {
  const evil = `"><script>alert(1)</script><img src=x onerror='alert(1)'>`;
  const volume = { ...OVERVIEW.waiting[0].volume, namespace: evil, pod: evil, move: evil };
  const named = { ...volume, volumeName: evil, id: evil };
  const view = viewWith({
    overview: {
      ...OVERVIEW,
      ...{ leader: evil, version: evil },
      nodes: OVERVIEW.nodes.map(node => ({ ...node, name: evil, version: evil })),
      running: OVERVIEW.running.map(move => ({ ...move, volume: named, node: evil })),
      waiting: OVERVIEW.waiting.map(move => ({
        ...{ ...move, volume: named, nodes: [evil], keptFor: evil },
        wait: { ...move.wait, limit: { kind: 'node', name: evil } },
      })),
    },
    rates: {
      outside: {},
      windows: [
        {
          ...{ name: evil, from: evil, until: evil, timeZone: evil, isOpen: true, holds: true },
          ...{ opensMs: undefined, closesMs: undefined },
        },
      ],
    },
    failures: [
      {
        ...{ ...FAILURE, node: evil, code: evil, message: evil, phase: evil, pod: evil },
        ...{ namespace: evil, move: evil, volumeName: evil },
      },
    ],
  });
  for (const page of [
    pageOf(view),
    pageOf(view, `filter=${encodeURIComponent(evil)}`),
    standbyPage({ leader: evil, namespace: evil, port: 1 }),
  ]) {
    t.equal(page.match(/<script/g)?.length, 1, 'our own');
    t.notMatch(page, /<img|alert\(1\)<|onerror='|=""><s/);
    t.match(page, '&lt;script&gt;alert(1)&lt;/script&gt;');
  }
});

t.test('no command is made of a name that is none of a pod', async t => {
  const pageFor = (leader: string) => standbyPage({ leader, namespace: 'velero', port: 8087 });
  t.match(pageFor('c-7d4b9c-x2lkp'), 'kubectl -n velero port-forward pod/c-7d4b9c-x2lkp 8087<');
  for (const leader of ['c; reboot #', 'c$(reboot)', 'c\nreboot', '-f', 'c'.repeat(300)]) {
    t.match(pageFor(leader), /This controller stands by\. [^<]* leads\./);
    t.notMatch(pageFor(leader), 'kubectl', leader.slice(0, 20));
  }
});

t.test('nodes that are nearest to trouble come first', async t => {
  const nodes = [
    nodeWith('well', { free: 60 * GIB }),
    nodeWith('full-cache', { line: undefined, used: 20 * GIB }),
    nodeWith('beyond', { free: 9 * GIB }),
    nodeWith('near', { free: 10.2 * GIB }),
    { ...nodeWith('silent', { free: 50 * GIB }), isConnected: false },
    nodeWith('no-room', { limit: 0, free: 40 * GIB }),
    nodeWith('closer', { free: 30 * GIB }),
    { ...nodeWith('stopped', { free: 45 * GIB }), slotsMax: 0 },
  ];
  t.strictSame(
    byTrouble(nodes).map(([{ name }, { level }]) => `${name} ${level}`),
    [
      ...['beyond 2', 'silent 2', 'near 1', 'no-room 1', 'stopped 1'],
      ...['closer 0', 'well 0', 'full-cache 0'],
    ],
  );
  const page = pageOf(viewWith({ overview: { ...OVERVIEW, nodes } }));
  t.match(page, '8 nodes, 2 in trouble, 3 to look at');
  t.match(page, '!! disk is beyond the line: the kubelet evicts pods');
  t.match(page, 'disk 1 GiB beyond the eviction line');
});

t.test('progress, rates, time left, reasons and advice are on the page', async t => {
  const page = pageOf(viewWith());
  for (const text of [
    '5 MiB of 20 MiB, 25 %',
    '>2 MiB/s<',
    '>8 s<',
    'its turn at priority 5',
    'the limit of node n1 is reached',
    'room at the limit of the cluster is kept for shop/web-0 files',
    '100 MiB of 400 MiB, 30 %, 20 MiB reserved',
    'disk 600 MiB above the eviction line',
    'no session: its agent is not heard',
    '2 minutes ago',
    'it is full',
    'make the volume larger, and restore again',
  ]) {
    t.ok(page.includes(text), text);
  }
});

t.test('what has no progress comes before what has run for longer', async t => {
  const [longest, other] = OVERVIEW.running;
  const progress = { ...longest.progress, id: 'b', doneBytesPerSecond: 0 };
  const running = [longest, { ...other, progress } as typeof other];
  const page = pageOf(viewWith({ overview: { ...OVERVIEW, running } }));
  t.ok(page.indexOf('shop/db-1 data') < page.indexOf('shop/db-0 data'));
  t.match(page, '! nothing');
});

t.test('windows say whether they hold, and when they open', async t => {
  const window = {
    ...{ name: 'office', from: '0 8 * * *', until: '0 18 * * *', timeZone: 'UTC' },
    ...{ opensMs: NOW_MS + 3_600_000, closesMs: NOW_MS, uploadBytesPerSecond: 0 },
  };
  const page = pageOf(
    viewWith({
      rates: {
        outside: {},
        windows: [
          { ...window, isOpen: true, holds: true },
          { ...window, name: 'later', isOpen: false, holds: false },
        ],
      },
    }),
  );
  t.match(page, /office.*\n?.*0 8 \* \* \* to 0 18 \* \* \*, UTC/);
  t.match(page, 'holds now');
  t.match(page, '2026-11-28 13:00 UTC');
});

t.test('a filter and a number of rows leave out rows, which are counted', async t => {
  const nodes = Array.from({ length: 300 }, (_, index) => nodeWith(`node-${index}`));
  const view = viewWith({ overview: { ...OVERVIEW, nodes } });
  t.match(pageOf(view), 'And 250 more.');
  t.match(pageOf(view, 'rows=100'), 'And 200 more.');
  t.match(pageOf(view, 'rows=1000000'), 'And 250 more.', 'nobody asks for all of them');
  const filtered = pageOf(view, 'filter=NODE-299');
  t.match(filtered, '>node-299<');
  t.notMatch(filtered, '>node-298<');
  t.match(filtered, 'None of 2 rows fits the filter.');
  t.match(filtered, 'value="NODE-299"');
  t.equal(parseQuery(`filter=${'x'.repeat(5_000)}`).filter.length, 100);
});

t.test('the longest names that agents may have leave a page below its size', async t => {
  const long = 'n'.repeat(512);
  const volume = { ...OVERVIEW.waiting[0].volume, namespace: long, pod: long, move: long };
  const named = { ...volume, volumeName: long };
  const many = <Item>(item: Item) => Array.from({ length: 200 }, () => item);
  const view = viewWith({
    overview: {
      ...OVERVIEW,
      nodes: many({ ...OVERVIEW.nodes[0], name: long, version: long }),
      running: many({ ...OVERVIEW.running[0], volume: named, node: long }),
      waiting: many({ ...OVERVIEW.waiting[0], volume: named, nodes: many(long) }),
    },
    failures: many({
      ...{ ...FAILURE, namespace: long, pod: long, move: long, volumeName: long, node: long },
      message: 'm'.repeat(300),
    }),
  });
  for (const query of ['', 'rows=100']) {
    const { length } = pageOf(view, query);
    t.ok(length < 300_000, `${length} with '${query}'`);
  }
});

t.test('each code leads to something that can be done', async t => {
  for (const code of Object.keys(ERROR_CODES)) {
    t.ok(adviceOf({ code, phase: 'Failed' }).length > 10, code);
  }
  t.match(adviceOf({ code: 'toString', phase: 'Failed' }), 'docs/errors.md');
  for (const phase of ['Failed', 'Canceled', 'Completed']) {
    t.match(adviceOf({ code: '', phase }), /look at/);
  }
});
