// The pod annotator: sees to it that each pod of the cluster has the annotations that the rules
// want, while this controller leads. What it writes is conditional on the version that it has seen:
// where somebody else was faster it looks again, so nothing of theirs is ever overwritten.

import { setImmediate } from 'node:timers/promises';
import type { Log } from '#agent/log.ts';
import { throwIfAborted } from '#engine/base/abort.ts';
import type { Clock } from '#engine/base/clock.ts';
import { isEngineError, messageOf } from '#engine/base/errors.ts';
import { ControlLoop, type ReconcileResult } from '#kube/control-loop.ts';
import { PODS } from '#kube/core-resources.ts';
import type { KubeClient } from '#kube/kube-client.ts';
import type { ObjectKey } from '#kube/kube-object.ts';
import type { AnnotatorCounts } from './annotator-counts.ts';
import type { AnnotatorRule } from './annotator-rules.ts';
import { type AnnotationChange, decide, type Decision } from './decide.ts';
import { WatchedCluster } from './watched-cluster.ts';
import type { WatchedPod } from './watched-objects.ts';

export interface AnnotatorParts {
  readonly client: Pick<KubeClient, 'list' | 'watch' | 'patch'>;
  readonly clock: Clock;
  readonly log: Log;
  readonly rules: readonly AnnotatorRule[];
  /** Nothing is written; the log says what would be. */
  readonly isDryRun: boolean;
  readonly counts: AnnotatorCounts;
  /** What it lacks, in words; undefined when it has looked at every pod. */
  readonly onMissing: (missing: string | undefined) => void;
}

/** Pods are decided about that many at a time. */
const PODS_AT_ONCE = 100;
/** Patches at once: few of the connections that renewals of the Lease need as well. */
const PATCHES_AT_ONCE_MAX = 16;
/** Who else writes the same annotations of a pod is not to be fought more often. */
const REWRITE_MS = 10_000;
/** What was refused for a reason that lasts, such as a missing right, is tried again after that. */
const REFUSED_MS = 300_000;
/** Between two lines of the log for one kind of failure. */
const QUIET_MS = 60_000;

/** Until the signal fires. Never rejects. */
export async function annotatePods(parts: AnnotatorParts, signal: AbortSignal): Promise<void> {
  await new Annotator(parts).run(signal);
}

class Annotator {
  readonly #parts: AnnotatorParts;
  readonly #cluster: WatchedCluster;
  readonly #loop: ControlLoop;
  /** What is there is known, so what changes is looked at. */
  #hasBegun = false;
  /** Pods that were outdated at the start and were not tried yet, and what follows then. */
  #firstPass = { left: new Set<ObjectKey>(), onDone: () => {} };
  readonly #writtenAtMs = new Map<ObjectKey, number>();
  /** What the log has said of pods in a dry run. */
  readonly #told = new Map<ObjectKey, string>();
  /** Names of volumes that the log has said are lost. */
  readonly #lost = new Map<ObjectKey, string>();
  readonly #failedAtMs = new Map<string, number>();

  constructor(parts: AnnotatorParts) {
    this.#parts = parts;
    const { client, clock } = parts;
    this.#loop = new ControlLoop({
      ...{ clock, workers: PATCHES_AT_ONCE_MAX },
      reconcile: (key, signal) => this.#lookAt(key, signal),
      onError: (key, error) => {
        if (isEngineError(error, 'KUBE_NOT_FOUND')) return;
        this.#onFailure('a pod could not be annotated', { pod: key, error });
      },
    });
    this.#cluster = new WatchedCluster({
      ...{ client, clock },
      onError: error => this.#onFailure('what pods there are is not known', { error }),
      onPod: key => {
        if (this.#hasBegun) this.#loop.enqueue(key);
      },
    });
  }

  async run(signal: AbortSignal): Promise<void> {
    const { counts, onMissing } = this.#parts;
    onMissing('not every pod was looked at yet');
    const following = this.#cluster.run(signal);
    try {
      await this.#cluster.synced(signal);
      await this.#begin(signal);
    } catch (error) {
      if (!signal.aborted) throw error;
    } finally {
      await following;
      await this.#loop.stop();
      counts.forget();
      onMissing(undefined);
    }
  }

  /** Looks at all of them first, and then writes: by then it can be said how many there are. */
  async #begin(signal: AbortSignal): Promise<void> {
    const { clock, counts, log, onMissing } = this.#parts;
    const startMs = clock.monotonic();
    const durationMs = () => Math.round(clock.monotonic() - startMs);
    this.#hasBegun = true;
    const outdated = new Set<ObjectKey>();
    for (const [index, key] of this.#cluster.podKeys().entries()) {
      if (this.#decide(key)?.state === 'outdated') outdated.add(key);
      // Agents are answered meanwhile, however many rules and pods there are.
      if (index % PODS_AT_ONCE === 0) await setImmediate();
      throwIfAborted(signal);
    }
    log.info({ pods: counts.pods(), durationMs: durationMs() }, 'every pod was looked at');
    onMissing(undefined);
    const writtenBefore = counts.results('written');
    const onDone = () => {
      const written = counts.results('written') - writtenBefore;
      log.info({ written, durationMs: durationMs() }, 'the first pass is over');
    };
    this.#firstPass = { left: outdated, onDone };
    for (const key of outdated) this.#loop.enqueue(key);
    if (outdated.size === 0) onDone();
  }

  async #lookAt(key: ObjectKey, signal: AbortSignal): Promise<ReconcileResult | undefined> {
    try {
      return await this.#reconcile(key, signal);
    } finally {
      const { left, onDone } = this.#firstPass;
      if (left.delete(key) && left.size === 0 && !signal.aborted) onDone();
    }
  }

  #decide(key: ObjectKey): Decision | undefined {
    const { rules, counts } = this.#parts;
    const pod = this.#cluster.pod(key);
    const decision = pod && decide(pod, rules, this.#cluster);
    counts.note(key, decision?.state);
    this.#tellLost(key, decision?.lost);
    return decision;
  }

  /** Once, as long as they are the same. */
  #tellLost(pod: ObjectKey, volumes: readonly string[] | undefined): void {
    const text = volumes?.join(',');
    if (this.#lost.get(pod) === text) return;
    if (text === undefined) return void this.#lost.delete(pod);
    this.#lost.set(pod, text);
    this.#parts.log.warn({ pod, volumes }, 'volumes of a pod are lost, and left out');
  }

  async #reconcile(key: ObjectKey, signal: AbortSignal): Promise<ReconcileResult | undefined> {
    const { isDryRun, clock } = this.#parts;
    const pod = this.#cluster.pod(key);
    const decision = this.#decide(key);
    if (pod === undefined) this.#writtenAtMs.delete(key);
    if (pod === undefined || decision?.state !== 'outdated') {
      this.#told.delete(key);
      return undefined;
    }
    if (isDryRun) return this.#tell(key, decision.change);
    const untilMs = (this.#writtenAtMs.get(key) ?? -Infinity) + REWRITE_MS;
    const waitMs = untilMs - clock.monotonic();
    if (waitMs > 0) return { requeueAfterMs: waitMs };
    try {
      await this.#write(pod, decision.change, signal);
    } catch (error) {
      const isLasting = isEngineError(error, 'KUBE_FORBIDDEN', 'KUBE_INVALID');
      if (!isLasting) throw error;
      this.#onFailure('a pod could not be annotated', { pod: key, error });
      return { requeueAfterMs: REFUSED_MS };
    }
    this.#writtenAtMs.set(key, clock.monotonic());
    this.#parts.log.info({ pod: key, annotations: decision.change }, 'a pod was annotated');
    return undefined;
  }

  async #write(pod: WatchedPod, change: AnnotationChange, signal: AbortSignal): Promise<void> {
    const { client, counts } = this.#parts;
    const { resourceVersion } = pod.metadata;
    const body = { metadata: { resourceVersion, annotations: change } };
    try {
      await client.patch(PODS, pod.metadata, { type: 'merge', body }, { signal });
      counts.add('written');
    } catch (error) {
      // It is gone, or somebody was faster, of which the watch tells: no fault of anybody's.
      const isOvertaken = isEngineError(error, 'KUBE_NOT_FOUND', 'KUBE_CONFLICT');
      if (!signal.aborted) counts.add(isOvertaken ? 'overtaken' : 'failed');
      throw error;
    }
  }

  #tell(key: ObjectKey, change: AnnotationChange): undefined {
    const text = JSON.stringify(change);
    if (this.#told.get(key) === text) return;
    this.#told.set(key, text);
    this.#parts.log.info({ pod: key, annotations: change }, 'a pod would be annotated');
  }

  #onFailure(what: string, keys: { readonly pod?: string; readonly error: unknown }): void {
    const { clock, log, onMissing } = this.#parts;
    if (!this.#hasBegun) onMissing(messageOf(keys.error));
    const kind = isEngineError(keys.error) ? `${what} ${keys.error.code}` : what;
    const nowMs = clock.monotonic();
    if (nowMs - (this.#failedAtMs.get(kind) ?? -Infinity) < QUIET_MS) return;
    this.#failedAtMs.set(kind, nowMs);
    log.warn(keys, what);
  }
}
