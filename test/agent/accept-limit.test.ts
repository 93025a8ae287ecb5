// How many moves an agent accepts, while what it sees is behind what it does.

import t from 'tap';
import { AcceptLimit, type SeenKind } from '#agent/accept-limit.ts';
import type { ObjectKey } from '#kube/kube-object.ts';

/** As the cache of an informer shows them: by whom each is prepared, and nobody while it is New. */
function kindOf(name: string) {
  const seen = new Map<ObjectKey, string>();
  const kind: SeenKind = {
    name,
    isNew: key => seen.get(key) === '',
    preparedBy: node => [...seen.values()].filter(by => by !== '' && by === (node ?? by)).length,
  };
  return { kind, seen };
}

function play(allMax = Infinity) {
  const uploads = kindOf('DataUpload');
  const downloads = kindOf('DataDownload');
  const limits = { nodeName: 'node1', ownMax: () => 2, allMax };
  const limit = new AcceptLimit([uploads.kind, downloads.kind], limits);
  for (const key of ['v/a', 'v/b', 'v/c', 'v/d'] as const) {
    uploads.seen.set(key, '');
    downloads.seen.set(key, '');
  }
  return { limit, uploads: uploads.seen, downloads: downloads.seen };
}

t.test('no more are accepted than there is room for before any of them is seen', async t => {
  const { limit } = play();
  t.ok(limit.mayAccept('DataUpload', 'v/a'));
  t.ok(limit.mayAccept('DataUpload', 'v/a'), 'one is one however often it is looked at');
  t.ok(limit.mayAccept('DataDownload', 'v/a'), 'of all kinds');
  t.notOk(limit.mayAccept('DataUpload', 'v/b'));
});

t.test('one that another agent was faster with makes room', async t => {
  const { limit, uploads } = play();
  limit.mayAccept('DataUpload', 'v/a');
  limit.mayAccept('DataUpload', 'v/b');
  uploads.set('v/a', 'node2');
  t.ok(limit.mayAccept('DataUpload', 'v/c'));
  uploads.set('v/b', 'node1');
  t.notOk(limit.mayAccept('DataUpload', 'v/d'), 'and one of its own does not');
  uploads.delete('v/b');
  t.ok(limit.mayAccept('DataUpload', 'v/d'), 'before it is gone');
});

t.test('those of all agents have a limit, too', async t => {
  const { limit, uploads } = play(2);
  uploads.set('v/a', 'node2');
  t.ok(limit.mayAccept('DataUpload', 'v/b'));
  t.notOk(limit.mayAccept('DataUpload', 'v/c'));
});
