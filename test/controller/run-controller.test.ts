// The whole controller in the test's own process, against the API emulator: agents come, are
// granted slots and told their shares, and what is served says so.

import t from 'tap';
import { LEASE_MS } from '#proto/slot-messages.ts';
import { startController } from './controller-scene.ts';
import { KeepingAgent, SpeakingAgent } from './wire-agent.ts';

t.test('an agent is granted what the limits allow, and metrics say who waits', async t => {
  const scene = await startController(t, ['--storage-class-slots', '{nfs: 1}']);
  const agent = new KeepingAgent(t, scene, 'n1');
  agent.want('x', 7);
  await agent.until(() => agent.started.includes('x'));
  agent.want('y', 7);
  const other = new KeepingAgent(t, scene, 'n2');
  other.want('z');
  await other.until(() => other.standings.includes('with'));
  const metrics = await scene.served('/metrics');
  for (const line of [
    'stevedore_controller_leads 1',
    'stevedore_controller_queue_requests{priority="5"} 1',
    'stevedore_controller_queue_requests{priority="7"} 1',
    'stevedore_controller_queue_requests{priority="0"} 0',
    'stevedore_controller_queue_causes{cause="full",limit="storage-class"} 2',
    'stevedore_controller_queue_causes{cause="full",limit="cluster"} 0',
    'stevedore_controller_queue_causes{cause="gathering",limit=""} 0',
    'stevedore_controller_wait_seconds_count{priority="7"} 1',
    'stevedore_controller_slots{limit="cluster",name="",state="used"} 1',
    'stevedore_controller_slots{limit="cluster",name="",state="free"} 3',
    'stevedore_controller_slots{limit="storage-class",name="nfs",state="free"} 0',
    'stevedore_controller_slots{limit="node",name="n1",state="free"} 1',
    'stevedore_controller_agents{state="connected"} 2',
    'stevedore_controller_agents{state="silent"} 0',
    'stevedore_controller_refusals_total{reason="flood"} 0',
    'stevedore_controller_bandwidth_bytes_per_second{direction="upload",state="limit"} +Inf',
  ]) {
    t.ok(metrics.split('\n').includes(line), line);
  }
  t.match(await scene.served('/readyz'), /it leads, epoch \d+\nready\n$/);
  agent.keeper.done('x');
  await agent.until(() => agent.started.includes('y'));
});

t.test('nothing is granted before all nodes that have an agent were heard', async t => {
  const scene = await startController(t, [], ['n1', 'n2']);
  const agent = new KeepingAgent(t, scene, 'n1');
  agent.want('x');
  await agent.until(() => agent.standings.includes('with'));
  const waiting = /^stevedore_controller_queue_requests\{priority="5"\} 1$/m;
  t.match(await scene.served('/metrics'), waiting);
  t.strictSame(agent.started, []);
  const beganMs = performance.now();
  new KeepingAgent(t, scene, 'n2');
  await agent.until(() => agent.started.includes('x'));
  t.ok(performance.now() - beganMs < LEASE_MS / 2, 'long before the leases of a leader before end');
});

t.test('no node moves more than is said for all, whatever its agent says', async t => {
  const scene = await startController(t, ['--node-slots', '1']);
  const agent = new KeepingAgent(t, scene, 'n1');
  agent.want('x');
  agent.want('y');
  await agent.until(() => agent.started.length > 0);
  const metrics = await scene.served('/metrics');
  t.match(metrics, 'stevedore_controller_slots{limit="node",name="n1",state="free"} 0');
  t.equal(agent.started.length, 1);
});

t.test('shares of the rate go to nodes that move something, and from one to the other', async t => {
  const scene = await startController(t, ['--upload-rate', '1000B', '--cluster-slots', '2']);
  const [one, two] = ['n1', 'n2'].map(node => new SpeakingAgent(t, scene, node));
  const report = (agent: SpeakingAgent, sequence: number, held: string[]) =>
    agent.say({
      slots: {
        ...{ sequence, epoch: 0, sentAtMs: 0, slotsMax: 1, requests: [] },
        holds: held.map(id => ({
          volume: { id, namespace: 'a', pod: 'p', storageClass: '', location: 'default' },
          number: 1,
          alone: true,
        })),
      },
    });
  report(one, 1, ['x']);
  const { shares: whole } = await one.hears(({ shares }) => Boolean(shares));
  t.match(whole, { upload: { bytesPerSecond: 1000 } });
  t.equal(whole?.download?.bytesPerSecond, undefined, 'no limit');
  // The last word of a controller before this one.
  two.say({ shares: { upload: { number: 3, bytesPerSecond: 400 } } });
  report(two, 1, ['y']);
  const half = await one.hears(({ shares }) => shares?.upload?.bytesPerSecond === 500);
  t.notOk(
    two.messages.some(({ shares }) => shares),
    'it may go on as it does, and no faster',
  );
  one.say({ shares: half.shares ?? {} });
  await two.hears(({ shares }) => shares?.upload?.bytesPerSecond === 500);
  report(one, 2, []);
  await two.hears(({ shares }) => shares?.upload?.bytesPerSecond === 1000);
});

t.test('what agents say of their caches and rates is served', async t => {
  const scene = await startController(t, ['--upload-rate', '1MiB']);
  const agent = new SpeakingAgent(t, scene, 'n1');
  const rates = { uploadBytesPerSecond: 300, downloadBytesPerSecond: 20 };
  agent.say({
    heartbeat: {
      cache: { limitBytes: 2000, usedBytes: 700 },
      memory: { usedBytes: 1 },
      moves: [{ id: 'x', kind: 'PodVolumeBackup', doneBytes: 1, ...rates }],
    },
  });
  agent.say({
    slots: { sequence: 1, epoch: 0, sentAtMs: 0, slotsMax: 0, requests: [], holds: [] },
  });
  await agent.hears(({ slots }) => Boolean(slots));
  const metrics = await scene.served('/metrics');
  for (const line of [
    'stevedore_controller_node_cache_limit_bytes{node="n1"} 2000',
    'stevedore_controller_node_cache_used_bytes{node="n1"} 700',
    'stevedore_controller_agents{state="stopped"} 1',
    'stevedore_controller_bandwidth_bytes_per_second{direction="upload",state="used"} 300',
    'stevedore_controller_bandwidth_bytes_per_second{direction="upload",state="limit"} 1048576',
    'stevedore_controller_bandwidth_bytes_per_second{direction="upload",state="given"} 0',
  ]) {
    t.ok(metrics.split('\n').includes(line), line);
  }
});

t.test('moves are followed by whoever leads, and by nobody where that is off', async t => {
  const { api } = await startController(t);
  while (api.watchCount('podvolumebackups') === 0) await new Promise(setImmediate);
  const off = await startController(t, ['--nothing-stuck', 'false']);
  const agent = new KeepingAgent(t, off, 'n1');
  agent.want('x');
  await agent.until(() => agent.started.includes('x'));
  t.notOk(off.api.requests.some(({ path }) => path.includes('podvolume')));
});

t.test('who is told to end sends agents away and gives the Lease back', async t => {
  const scene = await startController(t);
  const agent = new KeepingAgent(t, scene, 'n1');
  agent.want('x');
  await agent.until(() => agent.started.includes('x'));
  await scene.stop();
  await agent.until(() => agent.standings.includes('away'));
  t.match([...agent.keeper.holds], [{ id: 'x', isAlone: false }]);
  t.match(scene.log.lines.at(-1), '"the Lease is given back"');
});
