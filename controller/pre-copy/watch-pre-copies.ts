// Says which volumes are to be copied ahead of scheduled backups, for as long as this controller
// leads: it follows Schedules, storage locations and pods, looks every few seconds at what is due,
// and tells the agents. It keeps nothing: whoever leads next decides the same (docs/pre-copy.md).

import type { Log } from '#agent/log.ts';
import type { Clock } from '#engine/base/clock.ts';
import { isEngineError, messageOf } from '#engine/base/errors.ts';
import { EventWriter } from '#kube/events.ts';
import { PODS } from '#kube/core-resources.ts';
import { Informer } from '#kube/informer.ts';
import type { KubeClient } from '#kube/kube-client.ts';
import type { KubeObject, Resource } from '#kube/kube-object.ts';
import { type AskingPod, type WatchedPod, watchedPod } from './asking-pod.ts';
import { decidePreCopies } from './decide-pre-copies.ts';
import type { PreCopyCounts } from './pre-copy-counts.ts';
import { ToldFaults } from './told-faults.ts';
import { type Sessions, ToldNodes } from './told-nodes.ts';
import { SCHEDULES, watchedSchedule, type WatchedSchedule } from './watched-schedule.ts';

export interface PreCopyParts {
  readonly client: Pick<KubeClient, 'list' | 'watch' | 'create'>;
  readonly clock: Clock;
  readonly log: Log;
  /** Velero's. */
  readonly namespace: string;
  readonly counts: PreCopyCounts;
  /** Undefined when the term is over. */
  readonly sessions: () => Sessions | undefined;
  /** What it lacks, in words; undefined when it knows all there is. */
  readonly onMissing: (missing: string | undefined) => void;
}

/** Between two looks; times are those of cron, in whole minutes. */
const LOOK_MS = 5_000;
/** Between two lines of the log for one kind of failure. */
const QUIET_MS = 60_000;
/** Source of events. */
const COMPONENT = 'stevedore-controller';
const STORAGE_LOCATIONS: Resource = Object.freeze({
  ...{ group: 'velero.io', version: 'v1', plural: 'backupstoragelocations' },
  ...{ kind: 'BackupStorageLocation', isNamespaced: true },
});

interface WatchedLocation extends KubeObject {
  readonly isDefault: boolean;
}

/** Until the signal fires. Never rejects. */
export async function watchPreCopies(parts: PreCopyParts, signal: AbortSignal): Promise<void> {
  await new PreCopyWatch(parts).run(signal);
}

class PreCopyWatch {
  readonly #parts: PreCopyParts;
  readonly #events: EventWriter;
  readonly #pods: Informer<WatchedPod>;
  readonly #schedules: Informer<WatchedSchedule>;
  readonly #locations: Informer<WatchedLocation>;
  readonly #faults: ToldFaults;
  readonly #nodes: ToldNodes;
  readonly #failedAtMs = new Map<string, number>();

  constructor(parts: PreCopyParts) {
    const { client, clock, log, namespace, counts } = parts;
    const onError = (error: unknown) => this.#onFailure(error);
    const query = { namespace };
    this.#parts = parts;
    const onUntold = (error: unknown) => log.warn({ error }, 'an event could not be written');
    this.#events = new EventWriter({ client, component: COMPONENT, clock, onError: onUntold });
    this.#pods = new Informer<WatchedPod>(
      { client, clock, onError },
      {
        ...{ resource: PODS, query: {}, project: watchedPod },
        indexes: { asking: ({ asking }) => (asking === undefined ? [] : ['']) },
      },
    );
    const ofVelero = { client, clock, onError };
    this.#schedules = new Informer<WatchedSchedule>(ofVelero, {
      ...{ resource: SCHEDULES, query, project: watchedSchedule },
    });
    this.#locations = new Informer<WatchedLocation>(ofVelero, {
      ...{ resource: STORAGE_LOCATIONS, query, project: watchedLocation },
    });
    this.#faults = new ToldFaults({ log, counts, emit: this.#events.emit });
    this.#nodes = new ToldNodes(clock);
  }

  async run(signal: AbortSignal): Promise<void> {
    const { clock, log, counts, onMissing } = this.#parts;
    onMissing('Schedules and pods were not looked at yet');
    const informers = [this.#pods, this.#schedules, this.#locations];
    const following = informers.map(informer => informer.run(signal));
    try {
      await Promise.all(informers.map(informer => informer.synced(signal)));
      onMissing(undefined);
      const schedules = this.#schedules.list().length;
      log.info({ schedules, pods: this.#asking().length }, 'what is to be copied ahead is known');
      for (;;) {
        this.#look();
        await clock.sleep(LOOK_MS, signal);
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    } finally {
      await Promise.all(following);
      await this.#events.stop();
      counts.forget();
      onMissing(undefined);
    }
  }

  #look(): void {
    const { clock, counts, sessions } = this.#parts;
    const schedules = this.#schedules.list();
    const pods = this.#asking();
    const location = this.#locations.list().find(({ isDefault }) => isDefault);
    const defaultLocation = location?.metadata.name;
    const facts = { schedules, pods, defaultLocation, nowMs: clock.now() };
    const wanted = decidePreCopies(facts);
    counts.wanted = [...wanted.values()].reduce((sum, own) => sum + own.length, 0);
    this.#faults.tell(schedules, pods);
    const now = sessions();
    if (now) this.#nodes.tell(wanted, now);
  }

  #asking(): AskingPod[] {
    return this.#pods.byIndex('asking', '').flatMap(({ asking }) => asking ?? []);
  }

  #onFailure(error: unknown): void {
    const { clock, log, onMissing } = this.#parts;
    const isKnown = [this.#pods, this.#schedules, this.#locations].every(each => each.isSynced);
    if (!isKnown) onMissing(messageOf(error));
    const kind = isEngineError(error) ? error.code : 'INTERNAL';
    const nowMs = clock.monotonic();
    if (nowMs - (this.#failedAtMs.get(kind) ?? -Infinity) < QUIET_MS) return;
    this.#failedAtMs.set(kind, nowMs);
    log.warn({ error }, 'what is to be copied ahead of backups is not fully known');
  }
}

function watchedLocation(object: KubeObject): WatchedLocation {
  const { metadata, spec } = object as KubeObject & { readonly spec?: { default?: boolean } };
  const { name, namespace, resourceVersion } = metadata;
  return { metadata: { name, namespace, resourceVersion }, isDefault: spec?.default === true };
}
