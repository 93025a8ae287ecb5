// What people read, to the letter.

import t from 'tap';
import { nodesText } from '#controller/commands/nodes-report.ts';
import { queueDocument, queueText } from '#controller/commands/queue-report.ts';
import { OVERVIEW } from '#test/controller/overview/sample-overview.ts';

/** Its cells; that they stand below each other is the table's own business. */
function cells(text: string): string[] {
  return text.split('\n').map(line => line.trim().replaceAll(/ {2,}/g, ' | '));
}

t.test('the queue as tables', async t => {
  const [first, second] = ['the limit of node n1 is reached', 'room at the limit of the cluster'];
  t.strictSame(cells(queueText(OVERVIEW)), [
    '2 of 4 slots are used, 2 volumes wait (c-1 leads)',
    '',
    'moves | volume | node | for | done | rate | left | storage | why now | as',
    'shop/db-0 | data | n1 | 12 s | 5 MiB of 20 MiB, 25 % | 2 MiB/s | 8 s | 1 MiB/s | ' +
      'its turn at priority 5 | PodVolumeBackup/daily-a',
    'shop/db-1 | data | n2 | 2 s | began without a controller | PodVolumeBackup/daily-b',
    '',
    'place | waits | volume | priority | for | because | as',
    `1 | shop/web-0 | files | 5 | 1 min 5 s | ${first} | PodVolumeBackup/daily-c`,
    `2 | shop/web-1 | files | 0 | 3 s | ${second} is kept for shop/web-0 files | ` +
      'PodVolumeBackup/daily-d',
    '',
  ]);
});

t.test('nodes as a table', async t => {
  t.strictSame(cells(nodesText(OVERVIEW)), [
    '2 nodes, 1 without a session; uploads 1 MiB/s of at most 2 MiB/s, ' +
      'downloads 0 B/s without a limit (c-1 leads)',
    '',
    'node | session | version | slots | wait | cache | disk free | memory | ' +
      'upload share | download share',
    'n1 | for 1 min 30 s | 0.1.0 | 1 of 1 | 1 | 100 MiB of 400 MiB | 900 MiB | ' +
      '80 MiB of 512 MiB | 2 MiB/s | no limit',
    'n2 | none | 1 of 2 | 1',
    '',
  ]);
});

t.test('an empty cluster is a line', async t => {
  const none = { waiting: [], waitingCount: 0, running: [], runningCount: 0, nodes: [] };
  const empty = { ...OVERVIEW, ...none, isStarting: true };
  const starting = 'the controller has just started and grants nothing yet';
  t.equal(queueText(empty), `0 of 4 slots are used, 0 volumes wait (c-1 leads; ${starting})\n`);
  t.match(nodesText(empty), /^0 nodes; uploads .*\n$/);
});

t.test('what is not shown is counted', async t => {
  t.match(queueText({ ...OVERVIEW, waitingCount: 1_002 }), /\nand 1,000 more\n$/);
});

t.test('nothing that an agent says reaches the terminal as it is', async t => {
  const [first] = OVERVIEW.waiting;
  const volume = { ...first.volume, pod: 'a\u001b[2J', move: '\u0007' };
  const text = queueText({ ...OVERVIEW, waiting: [{ ...first, volume }] });
  t.notOk(text.includes('\u0007') || text.includes('\u001b'));
});

t.test('of a move it is told what is known', async t => {
  const [first] = OVERVIEW.running;
  const { progress: known } = first ?? {};
  if (first === undefined || known === undefined) throw new Error('the first one moves');
  const shown = (more: Partial<typeof known>) => {
    const progress = { ...known, ...more };
    const running = [{ ...first, progress }];
    const overview = { ...OVERVIEW, running, runningCount: 1 };
    const document = queueDocument(overview) as { readonly running: readonly object[] };
    return { row: cells(queueText(overview))[3], document: document.running[0] };
  };
  const all = { kind: 'PodVolumeBackup', doneBytes: 5 * 2 ** 20, percent: 25, leftMs: 7_500 };
  t.match(shown({}).document, all);
  const unsized = shown({ totalBytes: undefined });
  t.match(unsized.row, '| 5 MiB | 2 MiB/s | 1 MiB/s | its turn');
  t.match(unsized.document, { percent: undefined, leftMs: undefined });
  const unpaced = shown({ doneBytesPerSecond: undefined });
  t.match(unpaced.row, '| 5 MiB of 20 MiB, 25 % | 1 MiB/s | its turn');
  t.match(shown({ doneBytesPerSecond: 0 }).row, '25 % | 0 B/s | 1 MiB/s | its turn');
  const nearly = shown({ doneBytes: 20 * 2 ** 20 - 1 });
  t.match(nearly.row, '20 MiB of 20 MiB, 99 % | 2 MiB/s | 1 s |');
  t.match(nearly.document, { percent: 99, leftMs: 1 });
});

t.test('the document has words of programs and of people', async t => {
  t.match(queueDocument(OVERVIEW), {
    leader: 'c-1',
    running: [{ move: 'PodVolumeBackup/daily-a', node: 'n1', reason: { kind: 'turn' } }, {}],
    waiting: [{ place: 1, cause: 'full', limit: { kind: 'node', name: 'n1' } }, { keptFor: 'c' }],
  });
});
