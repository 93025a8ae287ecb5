// A controller's rates for real: agents with sessions of gRPC move blobs to an S3 server, and it is
// measured in front of that what all of them send together.

import t, { type Test } from 'tap';
import { type HeldMove, MoveRates } from '#agent/coordinator/move-rates.ts';
import { ObeyedShares } from '#agent/coordinator/obeyed-shares.ts';
import { type Clock, systemClock } from '#engine/base/clock.ts';
import { SmoothRate } from '#engine/base/smooth-rate.ts';
import { openStorageAt } from '#engine/storage/open-storage.ts';
import type { Storage } from '#engine/storage/storage.ts';
import { type CountingProxy, startCountingProxy } from '#test/servers/counting-proxy.ts';
import { findServer, startServer } from '#test/servers/start.ts';
import { type ControllerScene, startController } from './controller-scene.ts';
import { KeepingAgent } from './wire-agent.ts';

const { program, reason } = findServer('versitygw');
const skip = program === undefined && reason;
const MIB = 1024 * 1024;
const RATE = 4 * MIB;
const BURST = 1.2;

interface Scene extends ControllerScene {
  readonly proxy: CountingProxy;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
}

async function startScene(t: Test, flags: readonly string[], nowMs?: number): Promise<Scene> {
  const server = await startServer('versitygw');
  const proxy = await startCountingProxy(server.url);
  const clock = clockFrom(nowMs ?? Date.now());
  const controller = await startController(t, flags, [], { clock });
  t.teardown(async () => {
    await proxy.stop();
    await server.stop();
  });
  return { ...controller, proxy, credentials: server.credentials };
}

/** The system's, with the time of the day that a test needs. */
function clockFrom(nowMs: number): Clock {
  const offsetMs = nowMs - Date.now();
  return {
    now: () => Date.now() + offsetMs,
    nowNanoseconds: () => systemClock.nowNanoseconds(),
    monotonic: () => systemClock.monotonic(),
    sleep: (ms, signal) => systemClock.sleep(ms, signal),
  };
}

function heldMove(id: string): HeldMove {
  return { id, kind: 'PodVolumeBackup', sinceMs: 0, progress: undefined };
}

/** Sends blobs while it has a slot. */
class SendingAgent {
  readonly #agent: KeepingAgent;
  readonly #storage: Storage;
  readonly #ends = new Map<string, AbortController>();

  static async open(t: Test, scene: Scene, node: string): Promise<SendingAgent> {
    const traffic = {
      upload: new SmoothRate(undefined, systemClock),
      download: new SmoothRate(undefined, systemClock),
    };
    const { credentials, proxy } = scene;
    const s3 = { bucket: 'bucket', prefix: `${node}/`, endpoint: proxy.url, credentials };
    const storage = await openStorageAt({ scheme: 's3', s3 }, { traffic });
    const shares = new ObeyedShares({ traffic });
    const rates = new MoveRates({ traffic, clock: systemClock });
    const agent: KeepingAgent = new KeepingAgent(t, scene, node, {
      ...{ shares, reportMs: 1000 },
      heartbeat: () => ({
        ...{ diskFreeBytes: undefined, cache: undefined },
        memory: { usedBytes: 1, limitBytes: undefined },
        failed: [],
        moves: rates.of(agent.started.map(heldMove)),
      }),
    });
    t.teardown(() => storage.close());
    return new SendingAgent(agent, storage);
  }

  private constructor(agent: KeepingAgent, storage: Storage) {
    this.#agent = agent;
    this.#storage = storage;
  }

  /** Resolves when it has begun. */
  async begin(t: Test, id: string): Promise<void> {
    this.#agent.want(id);
    await this.#agent.until(() => this.#agent.started.includes(id));
    const end = new AbortController();
    this.#ends.set(id, end);
    const sending = [1, 2, 3].map(lane => this.#send(`${id}-${lane}`, end.signal));
    t.teardown(async () => {
      this.end(id);
      await Promise.all(sending);
    });
  }

  end(id: string): void {
    this.#ends.get(id)?.abort();
    if (this.#ends.delete(id)) this.#agent.keeper.done(id);
  }

  async #send(id: string, signal: AbortSignal): Promise<void> {
    const bytes = Buffer.alloc(MIB, 1);
    while (!signal.aborted) {
      await this.#storage.put(id, [bytes], { signal }).catch((error: unknown) => {
        if (!signal.aborted) throw error;
      });
    }
  }
}

t.test('moves come and go, and all together stay at the rate', { skip }, async t => {
  const scene = await startScene(t, ['--upload-rate', String(RATE)]);
  const { proxy } = scene;
  const one = await SendingAgent.open(t, scene, 'n1');
  const other = await SendingAgent.open(t, scene, 'n2');
  const beganMs = performance.now();
  await one.begin(t, 'a');
  await systemClock.sleep(2500);
  await other.begin(t, 'b');
  await systemClock.sleep(2500);
  await other.begin(t, 'c');
  await systemClock.sleep(2500);
  const text = await scene.served('/metrics');
  one.end('a');
  await systemClock.sleep(4000);
  const endMs = performance.now();
  const most = proxy.mostInASecond('upload', beganMs, endMs);
  const mean = (1000 * proxy.bytesBetween('upload', beganMs, endMs)) / (endMs - beganMs);
  const last = proxy.bytesBetween('upload', endMs - 1500, endMs) / 1.5;
  t.comment({ most: most / RATE, mean: mean / RATE, last: last / RATE });
  t.ok(most <= BURST * RATE, 'no burst in any second');
  t.ok(mean >= 0.8 * RATE, 'the rate is used');
  t.ok(last >= 0.85 * RATE, 'what one has given up the others use');
  const metric = (state: string) =>
    Number(
      new RegExp(`bytes_per_second{direction="upload",state="${state}"} (\\d+)`).exec(text)?.[1],
    );
  t.comment({ given: metric('given') / RATE, used: metric('used') / RATE });
  t.ok(metric('given') > 0.9 * RATE && metric('given') <= RATE, 'what is given is told');
  t.ok(metric('used') > 0.7 * RATE && metric('used') < BURST * RATE, 'what is used is told');
});

t.test(
  'a window closes, and within a second the rate falls; without a controller it stays',
  { skip },
  async t => {
    const closesMs = Date.UTC(2026, 0, 7, 9, 0);
    const windows = [
      { name: 'early', from: '0 8 * * *', until: '0 9 * * *', timeZone: 'UTC', uploadRate: RATE },
    ];
    const flags = ['--upload-rate', String(RATE / 4), '--rate-windows', JSON.stringify(windows)];
    const startMs = performance.now();
    const scene = await startScene(t, flags, closesMs - 8000);
    const { proxy } = scene;
    const agent = await SendingAgent.open(t, scene, 'n1');
    await agent.begin(t, 'a');
    const closedMs = startMs + 8000;
    await systemClock.sleep(Math.max(0, closedMs - performance.now()) + 4000);
    const before = proxy.mostInASecond('upload', startMs, closedMs);
    const after = proxy.mostInASecond('upload', closedMs + 1200, closedMs + 4000);
    t.comment({ before: before / RATE, after: (4 * after) / RATE });
    t.ok(before > 0.7 * RATE && before <= BURST * RATE);
    t.ok(after <= (BURST * RATE) / 4);
    await scene.stop();
    const aloneMs = performance.now();
    await systemClock.sleep(3000);
    const most = proxy.mostInASecond('upload', aloneMs, aloneMs + 3000);
    t.comment({ alone: (4 * most) / RATE });
    t.ok(most > (0.7 * RATE) / 4 && most <= (BURST * RATE) / 4, 'the last word is obeyed');
  },
);
