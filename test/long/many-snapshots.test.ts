// 200 backups on 20 nodes, as many-moves.ts plays them, of real volumes into one repository that
// every agent opens for itself: what the objects say in the end is in there.

import { mkdirSync, writeFileSync } from 'node:fs';
import t from 'tap';
import { systemClock } from '#engine/base/clock.ts';
import { listSnapshots, readFile, verify } from '#engine/index.ts';
import { SharedRepositories } from '#agent/repositories/shared-repositories.ts';
import { startKubeEmulator } from '#test/kube-emulator/kube-emulator.ts';
import { playManyMoves } from '#test/moves/many-moves.ts';
import type { BackupOptions } from '#test/moves/velero-objects.ts';
import { moverFor, NodeScene } from '#test/support/node-scene.ts';
import { newSeed, SeededRandom } from '#test/support/random.ts';
import { NAME, VELERO, VeleroScene } from '#test/support/velero-scene.ts';

const NODE_COUNT = 20;
const MOVE_COUNT = 200;
/** Each opens the repository anew. */
const RESTARTS_MAX = 40;
const FILE_BYTES_MAX = 200_000;
const SHARES = { repositoriesMax: 1, threads: 1, memoryBytes: 192 * 2 ** 20 };

const seed = newSeed();
t.test(`200 backups on 20 nodes leave what they say, seed ${seed}`, async t => {
  const random = new SeededRandom(seed);
  const root = t.testdir({ bucket: {} });
  await using velero = await VeleroScene.make(`${root}/bucket`);
  const nodes = Array.from({ length: NODE_COUNT }, (_, node) => {
    return new NodeScene(`${root}/n${node}`, velero.kube, `n${node}`);
  });
  const closing: PromiseLike<void>[] = [];
  const contents = new Map<string, Buffer>();

  const backupOf = (index: number, node: string): BackupOptions => {
    const claim = `data-${index}`;
    const pod = nodes[index % NODE_COUNT]?.runPod(`web-${index}`, { claim });
    if (pod === undefined) throw new Error(`no node for move ${index}`);
    const content = Buffer.from(random.bytes(1 + random.below(FILE_BYTES_MAX)));
    contents.set(claim, content);
    mkdirSync(`${pod.path}/some/where`, { recursive: true });
    writeFileSync(`${pod.path}/some/where/file`, content);
    const { podNamespace, podName, podUid } = pod.volume;
    return {
      node,
      claim: pod.claim,
      spec: { pod: { kind: 'Pod', namespace: podNamespace, name: podName, uid: podUid } },
    };
  };

  const moverOf = async (node: number, killed: AbortSignal) => {
    const scene = nodes[node];
    if (scene === undefined) throw new Error(`no node ${node}`);
    const repositories = new SharedRepositories(
      {
        kube: velero.kube,
        clock: systemClock,
        onWarning: warning => velero.warnings.push(warning),
      },
      { namespace: VELERO, readyTimeoutMs: 60_000, shares: SHARES },
    );
    const mover = moverFor(velero, scene, { repositories });
    killed.addEventListener('abort', () => closing.push(repositories[Symbol.asyncDispose]()));
    return mover;
  };

  const api = await startKubeEmulator({ velero: '1.18' });
  t.teardown(() => api.stop());
  const world = { client: api.client(), velero: '1.18' } as const;
  const counts = { nodeCount: NODE_COUNT, moveCount: MOVE_COUNT, restartsMax: RESTARTS_MAX };
  const many = { ...counts, random, moverOf, backupOf };
  const { ended, interruptedUids } = await playManyMoves(t, world, many);

  await Promise.all(closing);
  await using lease = await velero.repositories.acquire(NAME, 'read');
  const repository = lease.thing;
  t.match(await verify(repository, { readPercent: 100 }), { problems: [] });
  let completedCount = 0;
  for (const { metadata, status } of ended) {
    if (status?.phase !== 'Completed') {
      const what = `${metadata.name} ${status?.phase}: ${status?.message}`;
      t.ok(interruptedUids.has(metadata.uid ?? ''), `${what}, whose agent was stopped meanwhile`);
      continue;
    }
    completedCount += 1;
    const claim = metadata.annotations?.['velero.io/pvc-name'] ?? '';
    const path = `${status.snapshotID}:/some/where/file`;
    const read = await Array.fromAsync(readFile(repository, path));
    t.equal(Buffer.compare(Buffer.concat(read), contents.get(claim) ?? Buffer.alloc(0)), 0, claim);
  }
  const { length } = await listSnapshots(repository);
  t.comment(
    `${completedCount} completed, ${length} snapshots, ${interruptedUids.size} interrupted`,
  );
  t.ok(completedCount > MOVE_COUNT / 2, 'most are completed');
  // An agent that is killed before it looks leaves what the one before it had published.
  t.ok(length - completedCount <= RESTARTS_MAX, 'and hardly any that nobody has reported');
});
