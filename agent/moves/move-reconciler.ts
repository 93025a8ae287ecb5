// The loop around the phase machine, for one kind: look at the object, decide, do the one action,
// look again. Level-triggered: it may be called at any time, with any key, and does what is
// missing.
//
// What it remembers are the moves that run in this process; everything else is in the objects.

import { keyOf, type ObjectKey } from '#kube/kube-object.ts';
import { isEngineError } from '#engine/base/errors.ts';
import { settlesWithin } from '#engine/base/settles-within.ts';
import type { MoveSituation } from './move-adapter.ts';
import { ExposureTurns } from './exposure-turns.ts';
import type {
  MoveComponents,
  MoveNews,
  MoveSettings,
  ReconcileResult,
  StopOptions,
} from './move-components.ts';
import { endOf } from './move-end.ts';
import { codeOf } from './move-trace.ts';
import { MoveTraces } from './move-traces.ts';
import { cancelReasonOf, viewOf } from './move-view.ts';
import { MoveWaits } from './move-waits.ts';
import { MoveWriter, type Written } from './move-writer.ts';
import type { MoveRun } from './move-run.ts';
import { MovesInProcess } from './moves-in-process.ts';
import type { MoveObject } from './objects/move-object.ts';
import { PODS } from '#kube/core-resources.ts';
import type { Pod } from './objects/pod.ts';
import { decide, type MoveAction, type MoveView } from './phase-machine.ts';
import { isTerminal, phaseOf, type Phase } from './phases.ts';
import { retryEach, settlesWhileAnswered } from './last-minutes.ts';
import { countsCanceled } from './server-version.ts';
import type { VolumeSlotRequest } from './slots.ts';
import { slotVolumeOf } from './slot-volume.ts';
import { findStockPod, stockPodState } from './stock-pod.ts';
import type { MoveOptions } from './volume-mover.ts';
import { UnconfirmedWrites } from './unconfirmed-writes.ts';
import { withEnd, withoutFinalizer, withPhase, withProgress } from './status-writes.ts';

/** Transitions and conflicts in a row until others have their turn. */
const STEPS_MAX = 32;
const TURN_MS = 100;
const SLOT_RETRY_MS = 5000;
const POD_LOOK_MS = 1000;
/** Of the grace period: half of it for stopping, half for the last writes. */
const REPORT_MS_MAX = 8000;
const REPORT_SHARE_MAX = 0.8;

/** An object as it was looked at, and all that the decision was made of. */
interface Look<Item> {
  readonly item: Item;
  readonly uid: string;
  readonly view: MoveView;
  readonly situation: MoveSituation;
  readonly stockPod: Pod | undefined;
}

type Step<Item> =
  | { readonly type: 'again'; readonly item: Item; readonly isFresh: boolean }
  | { readonly type: 'done'; readonly requeueAfterMs?: number };

export class MoveReconciler<Item extends MoveObject> {
  readonly #components: MoveComponents<Item>;
  readonly #settings: MoveSettings;
  readonly #writer: MoveWriter<Item>;
  readonly #moves: MovesInProcess;
  readonly #waits: MoveWaits<Item>;
  readonly #traces: MoveTraces<Item>;
  readonly #exposures: ExposureTurns<Item> | undefined;
  readonly #writes = new UnconfirmedWrites();
  readonly #end = new AbortController();
  readonly #tidying = new Set<Promise<void>>();
  #agent: MoveView['agent'] = 'working';

  constructor(components: MoveComponents<Item>, settings: MoveSettings) {
    const { client, adapter, rules, clock, site, tracer } = components;
    this.#components = components;
    this.#settings = settings;
    this.#writer = new MoveWriter(client, adapter.resource, {
      rules,
      onCorrected: item => this.#report({ type: 'rules-corrected', item }),
    });
    this.#moves = new MovesInProcess(components);
    this.#waits = new MoveWaits(adapter, clock);
    this.#traces = new MoveTraces(tracer, adapter.resource);
    const report = (news: MoveNews) => this.#report(news);
    const { exposer } = adapter;
    this.#exposures = exposer && new ExposureTurns({ exposer, nodeName: site.nodeName, report });
  }

  /**
   * Does what is to be done for the object of that key, up to where something has to be waited for.
   * Calls for one key must come one after the other, as those of a ControlLoop do.
   * @throws KUBE_UNAVAILABLE, KUBE_FORBIDDEN, …: call again later
   */
  async reconcile(key: ObjectKey, signal?: AbortSignal): Promise<ReconcileResult> {
    let item = this.#components.objects.get(key);
    let isFresh = false;
    this.#moves.forgetOthers(key, item?.metadata.uid);
    for (let step = 0; item !== undefined && step < STEPS_MAX; step += 1) {
      const look = await this.#look(item, isFresh, signal);
      if (look === undefined) return {};
      const next = await this.#act(decide(look.view), look, signal).catch((error: unknown) => {
        // What fails again and again must not keep a slot from others.
        if (look.view.run === 'none') this.#moves.forget(look.uid);
        throw error;
      });
      if (next.type === 'done') return { requeueAfterMs: next.requeueAfterMs };
      ({ item, isFresh } = next);
    }
    if (item !== undefined) return { requeueAfterMs: TURN_MS };
    this.#waits.forget(key);
    this.#traces.end(key, 'gone');
    this.#writes.forget(key);
    this.#exposures?.forget(key);
    return {};
  }

  /** From now on nothing begins, and what runs goes on; `stop` follows. */
  close(): void {
    this.#agent = 'closing';
  }

  /**
   * Lets what runs end within the grace period, stops the rest, and writes all of it. Where nothing
   * answers what runs it is stopped sooner, and has so much longer to save its state. New moves are
   * left to others, and by the end `stopLoop` has been called, so that no write without
   * an answer is waited for.
   * @returns keys of objects that could not be written in time
   */
  async stop({ graceMs, hasSuccessor, answering, stopLoop }: StopOptions): Promise<ObjectKey[]> {
    this.#agent = hasSuccessor ? 'handing-over' : 'leaving';
    const { clock, objects } = this.#components;
    const startMs = clock.monotonic();
    const reportMs = Math.min(REPORT_MS_MAX, graceMs * REPORT_SHARE_MAX);
    const { runs } = this.#moves;
    const ended = Promise.all(runs.map(run => run.ended));
    await settlesWhileAnswered(ended, graceMs - reportMs, answering);
    for (const run of runs) run.stop('interrupted');
    const stoppedMs = clock.monotonic() - startMs;
    await settlesWithin(ended, Math.max(0, graceMs - reportMs / 2 - stoppedMs));
    for (const run of runs) run.abandon();
    await settlesWithin(stopLoop(), reportMs / 8);
    const keys = new Set([...this.#moves.keys, ...[...objects.list()].map(keyOf)]);
    const unreported = await retryEach(keys, (key, signal) => this.reconcile(key, signal), {
      withinMs: (reportMs * 3) / 8,
      clock,
    });
    const leftMs = Math.max(0, graceMs - (clock.monotonic() - startMs));
    await settlesWhileAnswered(Promise.all(this.#tidying), leftMs, answering);
    this.#end.abort();
    this.#traces.endAll('left');
    return unreported;
  }

  /** Undefined for what is not ours, and for a phase of a later Velero, which nobody knows. */
  async #look(item: Item, isFresh: boolean, signal?: AbortSignal): Promise<Look<Item> | undefined> {
    const { adapter, site, slots, clock } = this.#components;
    const phase = phaseOf(item.status?.phase);
    const uid = item.metadata.uid;
    if (phase === undefined || uid === undefined || adapter.isForeign?.(item)) return undefined;
    this.#tellPhase(item, uid);
    const situation = this.#situationOf(item, phase);
    const stockPod = findStockPod(item, adapter.stockPodLabel, site);
    const run = this.#moves.runOf(uid);
    const view = viewOf(item, adapter, {
      phase,
      situation,
      rules: this.#writer.rules,
      isCanceledCounted: await this.#isCanceledCounted(item, { situation, isFresh }, signal),
      hasSlot: slots.has(uid),
      run,
      stockPod: stockPodState(stockPod),
      isFresh,
      agent: this.#agent,
      neglectedMs: this.#waits.neglectedMs(item, phase, situation),
      nowMs: clock.now(),
      seenMs: this.#waits.acceptedMs(item, phase),
      prepareTimeoutMs: this.#settings.prepareTimeoutMs,
      nodeName: site.nodeName,
    });
    return { item, uid, view, situation, stockPod };
  }

  #situationOf(item: Item, phase: Phase): MoveSituation {
    const { adapter, site, mayAccept } = this.#components;
    const situation = adapter.situationOf(item, site);
    if (situation.type === 'exposing') {
      return { ...situation, missing: this.#exposures?.missing(keyOf(item)) };
    }
    const isOpen = phase === 'New' && situation.type === 'ready';
    if (!isOpen || mayAccept?.(keyOf(item)) !== false) return situation;
    return { type: 'waiting', missing: 'room to prepare one more' };
  }

  /** The server is asked only when its answer decides how a move of ours ends. */
  async #isCanceledCounted(
    item: Item,
    { situation, isFresh }: { readonly situation: MoveSituation; readonly isFresh: boolean },
    signal?: AbortSignal,
  ): Promise<boolean> {
    const { adapter, serverVersion } = this.#components;
    if (adapter.isCanceledAlwaysCounted) return true;
    const reason = cancelReasonOf(item);
    if (reason === 'none' || reason === 'server-restart') return false;
    const { state } = this.#moves.runOf(item.metadata.uid ?? '') ?? {};
    const isOurs = situation.type !== 'elsewhere';
    const isEnding = state === undefined ? isOurs && isFresh : state === 'cancelled';
    const hasEnded = isTerminal(phaseOf(item.status?.phase) ?? 'New');
    if (!isEnding || hasEnded || !this.#writer.rules.phases.has('Canceled')) return false;
    return countsCanceled(await serverVersion.current(signal));
  }

  async #act(action: MoveAction, look: Look<Item>, signal?: AbortSignal): Promise<Step<Item>> {
    const { item, uid } = look;
    switch (action.type) {
      case 'wait':
        this.#letGo(look);
        return { type: 'done' };
      case 'look-again':
        this.#letGo(look);
        return { type: 'done', requeueAfterMs: action.afterMs };
      case 'read':
        return this.#after(uid, await this.#writer.read(item, { signal }));
      case 'expose':
        return this.#expose(look, signal);
      case 'take-slot':
        return this.#takeSlot(look);
      case 'write':
        return this.#writePhase(action.phase, look, signal);
      case 'finish':
        return this.#finish(action, look, signal);
      case 'start-run':
        return this.#startRun(look);
      case 'stop-run':
        this.#moves.runOf(uid)?.stop('cancelled');
        return { type: 'again', item, isFresh: look.view.isFresh };
      case 'write-progress':
        return this.#writeProgress(look, signal);
      case 'remove-finalizer':
        return this.#removeFinalizer(look, signal);
      case 'delete-stock-pod':
        return this.#deleteStockPod(look, signal);
    }
  }

  /** What only waits holds no slot, and no place among those who wait for one. */
  #letGo({ item, uid, view }: Look<Item>): void {
    const run = this.#moves.runOf(uid);
    if (isTerminal(view.phase) && run?.hasEnded) this.#tidyUp(item, run);
    if (isTerminal(view.phase) || view.run === 'none') this.#moves.forget(uid);
    if (isTerminal(view.phase) || !view.isOurs) this.#traces.endByOthers(keyOf(item));
  }

  #tidyUp(
    item: Item,
    { success, mayHavePublished }: Pick<MoveRun, 'success' | 'mayHavePublished'>,
  ): void {
    const { adapter, mover } = this.#components;
    const isTakenOver = !this.#moves.isBegun(item.metadata.uid ?? '');
    const run = { success, mayHavePublished, isTakenOver };
    const tidying = adapter.afterEnd?.(item, run, mover, this.#end.signal);
    if (tidying === undefined) return;
    this.#tidying.add(tidying);
    void tidying.finally(() => this.#tidying.delete(tidying));
  }

  async #expose(look: Look<Item>, signal?: AbortSignal): Promise<Step<Item>> {
    const { item, view } = look;
    const { prepareLeftMs: leftMs } = view;
    const time = { leftMs, waitedMs: this.#settings.prepareTimeoutMs - leftMs };
    this.#traces.of(item)?.enter('prepare the volume');
    const turn = await this.#exposures?.expose(item, time, signal);
    if (turn?.type === 'hopeless') {
      const action = { type: 'finish', phase: 'Failed', cause: 'hopeless' } as const;
      return this.#finish(action, { ...look, situation: turn }, signal);
    }
    return { type: 'done', requeueAfterMs: turn?.afterMs };
  }

  #takeSlot({ item, uid, view }: Look<Item>): Step<Item> {
    this.#traces.of(item)?.enter('wait for a slot');
    // All volumes of a Backup, or of a Restore, share a turn.
    const group = item.metadata.ownerReferences?.[0]?.uid ?? uid;
    const { adapter, clock, site } = this.#components;
    const of = adapter.volumeOf?.(item);
    const volume = slotVolumeOf(item, { group, site, nowMs: clock.now(), adapter, of });
    const onWaiting: VolumeSlotRequest['onWaiting'] = ({ cause, text }) =>
      this.#report({ type: 'waiting', item, cause, message: text });
    const wish = { group, kind: adapter.resource.kind, volume, onWaiting };
    const answer = this.#moves.takeSlot({ uid, key: keyOf(item) }, wish);
    if (answer === 'granted') return { type: 'again', item, isFresh: view.isFresh };
    return { type: 'done', requeueAfterMs: answer === 'refused' ? SLOT_RETRY_MS : undefined };
  }

  #startRun({ item, uid, view }: Look<Item>): Step<Item> {
    const { adapter, mover, site } = this.#components;
    const isTakenOver = !this.#moves.isBegun(uid);
    const work = this.#traces.working(item, (options: MoveOptions) =>
      adapter.run(item, { mover, options, site }),
    );
    this.#moves.start({ uid, key: keyOf(item) }, work);
    this.#report({ type: 'run-started', item, isTakenOver });
    return { type: 'again', item, isFresh: view.isFresh };
  }

  async #writePhase(
    phase: Extract<MoveAction, { type: 'write' }>['phase'],
    { item, uid }: Look<Item>,
    signal?: AbortSignal,
  ): Promise<Step<Item>> {
    const { adapter, site, clock } = this.#components;
    const { rules } = this.#writer;
    const fields = adapter.statusAt(phase, site);
    const finalizer = adapter.exposer && adapter.stockFinalizer;
    const changed = withPhase(item, { phase, nowMs: clock.now(), rules, fields, finalizer });
    this.#writes.add(item, { phase, fields });
    return this.#after(uid, await this.#write(changed, phase, signal));
  }

  async #finish(
    action: Extract<MoveAction, { type: 'finish' }>,
    { item, uid, view, situation, stockPod }: Look<Item>,
    signal?: AbortSignal,
  ): Promise<Step<Item>> {
    const { adapter, clock, site } = this.#components;
    const { phases } = this.#writer.rules;
    const run = this.#moves.runOf(uid);
    const { cancel, phase: endingPhase } = view;
    const facts = { adapter, site, situation, cancel, phases, run, stockPod, endingPhase };
    const end = endOf(action, facts);
    const changed = withEnd(item, { ...end, nowMs: clock.now(), rules: this.#writer.rules });
    this.#writes.add(item, end);
    return this.#after(uid, await this.#write(changed, end.phase, signal));
  }

  #write(changed: Item, phase: Phase, signal?: AbortSignal): Promise<Written<Item>> {
    return this.#traces.writing(changed, phase, item => this.#writer.write(item, { signal }));
  }

  /** Once, when it was us who wrote it: when it is seen, which it is when the answer is lost. */
  #tellPhase(item: Item, uid: string): void {
    const written = this.#writes.take(item);
    if (written === undefined) return;
    const { phase, message, warning: reason, mayHaveLeft } = written;
    if (phase === 'InProgress') this.#moves.begin({ uid, key: keyOf(item) });
    if (mayHaveLeft) this.#tidyUp(item, { success: undefined, mayHavePublished: true });
    this.#report({ type: 'phase', item, phase, message: message ?? undefined });
    if (reason !== undefined)
      this.#report({ type: 'warning', item, reason, message: message ?? '' });
    if (!isTerminal(phase)) return;
    const error = this.#moves.runOf(uid)?.error;
    const errorCode = error === undefined ? undefined : codeOf(error);
    const bytes = item.status?.progress?.bytesDone;
    this.#traces.end(keyOf(item), phase, { bytes, errorCode });
  }

  async #writeProgress({ item, uid }: Look<Item>, signal?: AbortSignal): Promise<Step<Item>> {
    const run = this.#moves.runOf(uid);
    const progress = run?.progress;
    if (run === undefined || progress === undefined) return { type: 'done' };
    const written = await this.#writer.write(withProgress(item, progress), { signal });
    if (written.type === 'written') run.progressWritten(progress);
    return this.#after(uid, written);
  }

  /** After what was made for it, which it keeps from being forgotten. */
  async #removeFinalizer({ item, uid }: Look<Item>, signal?: AbortSignal): Promise<Step<Item>> {
    const afterMs = await this.#exposures?.withdraw(item, signal);
    if (afterMs !== undefined) return { type: 'done', requeueAfterMs: afterMs };
    const changed = withoutFinalizer(item, this.#components.adapter.stockFinalizer);
    const written = await this.#writer.write(changed, { signal });
    if (written.type === 'written') this.#report({ type: 'finalizer-removed', item: written.item });
    return this.#after(uid, written);
  }

  /** Comes back when the pod's end is seen, or after a second. */
  async #deleteStockPod({ item }: Look<Item>, signal?: AbortSignal): Promise<Step<Item>> {
    const { name, namespace } = item.metadata;
    try {
      await this.#components.client.delete(PODS, { name, namespace }, { signal });
      this.#report({ type: 'stock-pod-deleted', item });
    } catch (error) {
      if (!isEngineError(error, 'KUBE_NOT_FOUND')) throw error;
    }
    return { type: 'done', requeueAfterMs: POD_LOOK_MS };
  }

  #after(uid: string, written: Written<Item>): Step<Item> {
    if (written.type !== 'gone') return { type: 'again', item: written.item, isFresh: true };
    this.#moves.forget(uid);
    return { type: 'done' };
  }

  #report(news: MoveNews): void {
    const traceId = this.#traces.idOf(news.item);
    this.#components.report(traceId === undefined ? news : { ...news, traceId });
  }
}
