import t from 'tap';
import { explainMove, type MoveFacts } from '#agent/commands/explain-move.ts';
import { listedMove } from '#agent/commands/listed-moves.ts';
import { backedUpCluster } from './backed-up-cluster.ts';
import { runCluster } from './run-cluster.ts';

function factsWith(status: object, more: Partial<MoveFacts> = {}): MoveFacts {
  const pod = { namespace: 'shop', name: 'db-0', uid: 'u' };
  const spec = { backupStorageLocation: 'default', node: 'n1', pod, volume: 'data' };
  const creationTimestamp = '2026-01-01T00:00:00Z';
  const object = { metadata: { name: 'b-1', creationTimestamp }, spec, status };
  return {
    move: listedMove('pvb', object, Date.parse('2026-01-01T00:10:00Z')),
    ...{ namespace: 'velero', nodeState: 'ready', agentState: 'ready', agentPod: 'a' },
    ...{ podPhase: 'Running', locationPhase: 'Available', locationMessage: '' },
    ...{ repositoryPhase: 'Ready', repositoryMessage: '', isRestic: false, events: [] },
    ...more,
  };
}

const texts = (facts: MoveFacts) => explainMove(facts).map(({ text }) => text);

t.test('each state of a move, and each thing around it, has its sentence', async t => {
  const cases: readonly (readonly [object, Partial<MoveFacts>, RegExp])[] = [
    [{ phase: 'Completed' }, {}, /^It has completed on node n1/],
    [{}, {}, /ordered 10 min ago and no agent has accepted it yet/],
    [{ phase: 'Prepared' }, {}, /is Prepared on node n1, and waits for its turn/],
    [{ phase: 'Failed', message: 'no room (STORAGE_FULL)' }, {}, /has failed on node n1: no room/],
    [{}, { nodeState: 'gone' }, /node n1 is not in the cluster/],
    [{}, { nodeState: 'not ready' }, /node n1 is not ready/],
    [{}, { agentState: 'none' }, /no agent on node n1/],
    [{}, { agentState: 'not ready' }, /agent on node n1 is not ready/],
    [{}, { podPhase: 'gone' }, /pod of shop\/db-0\/data is not there/],
    [{}, { podPhase: 'Pending' }, /pod of shop\/db-0\/data is Pending/],
    [{}, { locationPhase: 'Unavailable', locationMessage: 'no bucket' }, /Unavailable: no bucket/],
    [{}, { repositoryPhase: 'NotReady', repositoryMessage: 'bad' }, /NotReady: bad/],
    [{}, { isRestic: true }, /by restic/],
    [{}, { events: ['waits for a slot'] }, /An event says: waits for a slot/],
  ];
  for (const [status, more, expected] of cases) {
    t.ok(
      texts(factsWith(status, more)).some(text => expected.test(text)),
      String(expected),
    );
  }
});

t.test('what is well is not said, and a code leads to its paragraph', async t => {
  t.equal(texts(factsWith({ phase: 'InProgress' })).length, 1);
  t.equal(texts(factsWith({ phase: 'Completed' }, { locationPhase: 'gone' })).length, 1);
  const [failed] = explainMove(factsWith({ phase: 'Failed', message: 'x (STORAGE_FULL)' }));
  t.equal(failed?.advice, 'docs/errors.md#storage_full');
});

t.test('a move and a backup are explained from the cluster, which is only read', async t => {
  const { api, kubeconfig } = await backedUpCluster(t);
  const metadata = { name: 'daily', namespace: 'velero' };
  const status = { phase: 'PartiallyFailed', failureReason: 'one \u001b[2J volume' };
  api.add({ apiVersion: 'velero.io/v1', kind: 'Backup', metadata, spec: {}, status });
  const one = await runCluster(['why', 'pvb/daily-2'], { kubeconfig });
  t.equal(one.status, 0, one.stderr);
  t.match(one.stdout, /^pvb\/daily-2 \(shop\/db-0\/logs\)\n {2}It has failed on node n1: the disk/);
  t.match(one.stdout, /The node n1 is not in the cluster any more/);
  t.match(one.stdout, /There is no agent on node n1/);
  const all = await runCluster(['why', 'backup/daily'], { kubeconfig });
  t.match(all.stdout, /^backup\/daily\n {2}It is PartiallyFailed; 1 of 2 moves of volumes/);
  t.match(all.stdout, /pvb\/daily-2/);
  t.notMatch(all.stdout, '\u001b');
  t.ok(api.requests.every(({ method }) => method === 'GET'));
  const rights = ['nodes', 'pods', 'events', 'backuprepositories', 'backupstoragelocations'];
  for (const plural of rights) api.access.deny({ plural });
  const less = await runCluster(['why', 'pvb/daily-2'], { kubeconfig });
  t.equal(less.status, 0, 'what may not be seen is left out');
});

t.test('what is no object is refused with the kinds', async t => {
  const { kubeconfig } = await backedUpCluster(t);
  const wrong = await runCluster(['why', 'pod/x'], { kubeconfig });
  t.equal(wrong.status, 2);
  t.match(wrong.stderr, /'pod\/x' names no object; give KIND\/NAME, KIND of pvb, pvr, du, dd/);
  const absent = await runCluster(['why', 'pvb/none'], { kubeconfig });
  t.equal(absent.status, 1);
  t.match(absent.stderr, /cannot get podvolumebackups\.velero\.io velero\/none/);
});
