// The volume mover of this node: finds the volume, borrows the repository, and lets the engine do
// it.

import type { Clock } from '#engine/base/clock.ts';
import { EngineError, isEngineError, messageOf } from '#engine/base/errors.ts';
import type { Repository } from '#engine/index.ts';
import type {
  BackupEnd,
  BackupOrder,
  BackupResult,
  MoveOptions,
  PodVolume,
  PreCopier,
  PreCopyResult,
  RepositoryName,
  RestoreOrder,
  RestoreResult,
  VolumeMover,
} from '#agent/moves/volume-mover.ts';
import type { SharedRepositories } from '#agent/repositories/shared-repositories.ts';
import {
  type LocateParts,
  type LocateSettings,
  locateVolume,
  requireLivingPod,
  requireSameVolume,
  type VolumePlace,
} from '#agent/volumes/locate-volume.ts';
import { backupVolume, preCopyVolume, type VolumeMoveOptions } from './backup-volume.ts';
import { removeDoneFile, renewDoneFile } from './done-file.ts';
import { forgetOldStates } from './forget-states.ts';
import { forgetUnreported } from './forget-unreported.ts';
import { notAnswering, stopsWithin, STOP_MS_MAX } from './stops-within.ts';
import { veleroNames } from './velero-source.ts';
import { restoreDeviceVolume } from './restore-device-volume.ts';
import { restoreVolume } from './restore-volume.ts';

export interface VolumeMoverParts extends LocateParts {
  readonly repositories: Pick<SharedRepositories, 'acquire'>;
  readonly clock: Clock;
  /** What went wrong without harm. */
  readonly onWarning: (warning: EngineError) => void;
}

interface RepositoryAccess {
  readonly name: RepositoryName;
  readonly access: 'read' | 'write';
  /** As the settings say where it is not said. */
  readonly readyTimeoutMs?: number;
}

/** A repository that another move has lost may be lost again, to a second volume that hangs. */
const ATTEMPTS_MAX = 3;

export interface MoverSettings extends LocateSettings {
  /** How long a move may take to end that was told to. */
  readonly stopMs?: number;
}

/** Of a restore that a pod has waited for. */
export type DoneFilePlace = Required<Pick<RestoreOrder, 'volume' | 'doneFile'>>;

export class EngineVolumeMover implements VolumeMover, PreCopier {
  readonly #parts: VolumeMoverParts;
  readonly #settings: MoverSettings;

  constructor(parts: VolumeMoverParts, settings: MoverSettings) {
    this.#parts = parts;
    this.#settings = settings;
  }

  async backup(order: BackupOrder, options: MoveOptions): Promise<BackupResult> {
    options.trace?.enter('find the volume');
    const place = await this.#locate(order.volume, options.signal);
    const watched = this.#watching(place, order.volume, options);
    const access = { name: order.repository, access: 'write' } as const;
    return await this.#with(access, place, options, async repository => {
      const result = await backupVolume(repository, place, order, watched);
      options.trace?.enter('tidy up');
      // The backup is there; what may be wrong with others is for the next one.
      await this.#bestEffort(() => forgetOldStates(repository, this.#parts.clock, options.signal));
      return result;
    });
  }

  async preCopy(
    order: Pick<BackupOrder, 'repository' | 'volume'>,
    options: Pick<MoveOptions, 'signal'>,
  ): Promise<PreCopyResult> {
    const place = await this.#locate(order.volume, options.signal);
    const watched = this.#watching(place, order.volume, options);
    const access = { name: order.repository, access: 'write', readyTimeoutMs: 0 } as const;
    return await this.#with(access, place, options, repository =>
      preCopyVolume(repository, place, order.volume, watched),
    );
  }

  async forgetUnreported(order: BackupOrder, end: BackupEnd, signal: AbortSignal): Promise<void> {
    await this.#bestEffort(async () => {
      const isNamed = order.claim !== undefined || order.snapshotOf !== undefined;
      const claim = isNamed ? order.claim : (await this.#locate(order.volume, signal)).claim;
      await using lease = await this.#parts.repositories.acquire(order.repository, 'write', signal);
      await forgetUnreported(lease.thing, veleroNames(order, claim), end);
    });
  }

  async restore(order: RestoreOrder, options: MoveOptions): Promise<RestoreResult> {
    options.trace?.enter('find the volume');
    const place = await this.#locate(order.volume, options.signal);
    const access = { name: order.repository, access: 'read' } as const;
    const bringBack = order.volume.volumeMode === 'Block' ? restoreDeviceVolume : restoreVolume;
    return await this.#with(access, place, options, repository =>
      bringBack(repository, place, order, this.#watching(place, order.volume, options)),
    );
  }

  /**
   * For when the init container has ended, which often may not do it: takes the done file out of
   * the volume again, so that no later backup has it.
   * @throws TARGET_NOT_WRITABLE, and what finding the volume throws
   */
  async tidy({ volume, doneFile }: DoneFilePlace, signal: AbortSignal): Promise<void> {
    const place = await this.#locate(volume, signal);
    await removeDoneFile(place.path, doneFile);
  }

  /**
   * For a pod that waits once more for a volume that is restored.
   * @returns whether the done file was gone
   * @throws TARGET_NOT_WRITABLE, and what finding the volume throws
   */
  async tellAgain({ volume, doneFile }: DoneFilePlace, signal: AbortSignal): Promise<boolean> {
    const place = await this.#locate(volume, signal);
    return await renewDoneFile(place.path, doneFile);
  }

  async #bestEffort(forget: () => Promise<unknown>): Promise<void> {
    try {
      await forget();
    } catch (error) {
      const text = `earlier states of backups were not removed: ${messageOf(error)}`;
      const code = isEngineError(error) ? error.code : 'INTERNAL';
      this.#parts.onWarning(new EngineError(code, text, { cause: error }));
    }
  }

  #watching(place: VolumePlace, volume: PodVolume, options: MoveOptions): VolumeMoveOptions {
    const isStillThere = async (): Promise<void> => {
      await requireSameVolume(this.#parts.stat, place, options.signal);
      if (!place.isMounted) await requireLivingPod(this.#parts, volume, options.signal);
    };
    return { ...options, isStillThere };
  }

  #locate(volume: PodVolume, signal: AbortSignal): Promise<VolumePlace> {
    return locateVolume(this.#parts, this.#settings, volume, signal);
  }

  async #with<Result>(
    { name, access, readyTimeoutMs }: RepositoryAccess,
    place: VolumePlace,
    { signal, trace }: MoveOptions,
    work: (repository: Repository) => Promise<Result>,
  ): Promise<Result> {
    const { repositories, clock } = this.#parts;
    const { stopMs = STOP_MS_MAX } = this.#settings;
    for (let attempt = 1; ; attempt++) {
      trace?.enter('open the repository');
      await using lease = await repositories.acquire(name, access, signal, readyTimeoutMs);
      try {
        const outcome = await stopsWithin(stopMs, work(lease.thing), { signal, clock });
        if (outcome.isEnded) return outcome.result;
        // Its threads are held, and others who share them would wait for them.
        lease.abandon();
        throw notAnswering(place.path, stopMs);
      } catch (error) {
        // Closed by another move that has abandoned it.
        if (!lease.isLost || signal.aborted || attempt === ATTEMPTS_MAX) throw error;
      }
    }
  }
}
