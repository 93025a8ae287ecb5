// A controller's slots for real, over TLS and gRPC, in time that the test lets pass.

import type { Test } from 'tap';
import { SlotService } from '#controller/slot-service.ts';
import { SlotDesk } from '#controller/slots/slot-desk.ts';
import { DEFAULT_LIMITS } from '#controller/slots/slot-limits.ts';
import { type Clock, systemClock } from '#engine/base/clock.ts';
import { type SessionScene, startScene } from '#test/controller/sessions/session-scene.ts';
import { type KubeEmulator, startKubeEmulator } from '#test/kube-emulator/kube-emulator.ts';
import { ManualClock } from '#test/kube/manual-clock.ts';
import { makeAuthority, type Authority } from '#test/support/certificates.ts';

export const NODES = ['n1', 'n2'];
const STEP_MS = 50;
/** The network, name look-ups included, takes its own time, so time passes as it does, quicker. */
const STEP_REAL_MS = 4;
export const LEASE_MS = 15_000;
export const REPORT_MS = 3_000;
/** So much time that never came true is a failure. */
const STEPS_MAX = 5_000;

export interface SlotStage {
  readonly api: KubeEmulator;
  readonly authority: Authority;
  readonly clock: ManualClock;
}

/** What a controller needs of it: its time may be another. */
type ControllerStage = Pick<SlotStage, 'api' | 'authority'> & { readonly clock: Clock };

interface ControllerOptions extends Partial<
  Record<'epoch' | 'clusterMax' | 'port' | 'latestEpoch', number>
> {
  readonly isPlainText?: boolean;
  readonly nodes?: readonly string[];
}

export interface TestController {
  readonly scene: SessionScene;
  readonly desk: SlotDesk;
  readonly service: SlotService;
  readonly deposed: { count: number };
  stop(): Promise<void>;
}

export async function newStage(t: Test): Promise<SlotStage> {
  const api = await startKubeEmulator({ velero: '1.18' });
  t.teardown(() => api.stop());
  return { api, authority: makeAuthority(), clock: new ManualClock() };
}

export async function startController(
  t: Test,
  stage: ControllerStage,
  options: ControllerOptions = {},
): Promise<TestController> {
  const { epoch = 1, clusterMax = 1, port = 0, latestEpoch = epoch } = options;
  const { isPlainText, nodes = NODES } = options;
  const { clock } = stage;
  const limits = { ...DEFAULT_LIMITS, clusterMax, leaseMs: LEASE_MS };
  const desk = new SlotDesk({ epoch, limits, nodes, nowMs: clock.monotonic() });
  const deposed = { count: 0 };
  const service = new SlotService({
    desk,
    epoch,
    clock,
    hasBeen: async other => other <= latestEpoch,
    onDeposed: () => (deposed.count += 1),
  });
  const scene = await startScene(t, { ...stage, port, isPlainText, events: service.events });
  service.use(scene.sessions);
  const end = new AbortController();
  const running = service.run(end.signal);
  const stop = async () => {
    end.abort();
    await running;
    await scene.stop();
  };
  t.teardown(stop);
  return { scene, desk, service, deposed, stop };
}

/** Lets time pass, and the network do its work in between, until it is so. */
export async function passUntil(
  { clock }: SlotStage,
  isSo: () => boolean,
  what: string,
): Promise<void> {
  for (let step = 0; step < STEPS_MAX; step++) {
    if (isSo()) return;
    await clock.pass(STEP_MS);
    await systemClock.sleep(STEP_REAL_MS);
  }
  throw new Error(`it never came true that ${what}`);
}
