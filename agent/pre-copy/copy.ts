// One volume that is wanted ahead of its backup: waits for a slot, is copied, and is told to end by
// whoever goes first. Ends once; whoever has it then decides whether there is another one.

import type { Clock } from '#engine/base/clock.ts';
import type { PreCopier, PreCopyResult } from '#agent/moves/volume-mover.ts';
import type { MoveSlots } from '#agent/moves/slots.ts';
import { idOf, type WantedVolume } from './wanted-volume.ts';

/** `revoked`: the slot is wanted for a real move. `backup`: of this volume, which begins. */
export type StopReason = 'not-wanted' | 'over' | 'revoked' | 'backup';

export type CopyEnd =
  | { readonly kind: 'copied'; readonly result: PreCopyResult; readonly durationMs: number }
  | { readonly kind: 'stopped'; readonly reason: StopReason; readonly hadBegun: boolean }
  | { readonly kind: 'refused' }
  | { readonly kind: 'failed'; readonly error: unknown };

export interface CopyParts {
  readonly slots: Pick<MoveSlots, 'request' | 'release'>;
  readonly copier: PreCopier;
  readonly clock: Clock;
}

export class Copy {
  readonly wanted: WantedVolume;
  /** When nothing of it is left. Never rejects. */
  readonly ended: Promise<CopyEnd>;
  readonly #end = new AbortController();
  #stopReason: StopReason | undefined;
  #hasBegun = false;

  constructor(parts: CopyParts, wanted: WantedVolume) {
    this.wanted = wanted;
    this.ended = this.#run(parts);
  }

  stop(reason: StopReason): void {
    this.#stopReason ??= reason;
    this.#end.abort(new Error(`the pre-copy is stopped: ${reason}`));
  }

  async #run({ slots, copier, clock }: CopyParts): Promise<CopyEnd> {
    const id = idOf(this.wanted);
    const { signal } = this.#end;
    // Its time is over at its own clock, whether the controller is there to say so or not.
    const timer = clock.sleep(this.wanted.leftMs, signal).then(
      () => this.stop('over'),
      () => undefined,
    );
    try {
      if ((await this.#takeSlot(slots, id)) === 'refused') return { kind: 'refused' };
      signal.throwIfAborted();
      this.#hasBegun = true;
      const startedMs = clock.monotonic();
      const result = await copier.preCopy(orderOf(this.wanted), { signal });
      return { kind: 'copied', result, durationMs: clock.monotonic() - startedMs };
    } catch (error) {
      const reason = this.#stopReason;
      if (reason === undefined) return { kind: 'failed', error };
      return { kind: 'stopped', reason, hadBegun: this.#hasBegun };
    } finally {
      slots.release(id);
      this.#end.abort();
      await timer;
    }
  }

  async #takeSlot(slots: CopyParts['slots'], id: string): Promise<'granted' | 'refused'> {
    const { promise, resolve } = Promise.withResolvers<'granted'>();
    const { namespace, pod, volumeName, claim, location } = this.wanted;
    const move = `PreCopy/${pod}`;
    const answer = slots.request({
      ...{ id, group: 'pre-copy', kind: 'PreCopy', onGranted: () => resolve('granted') },
      // Whoever copies ahead has no right to hold anybody up.
      volume: {
        ...{ namespace, pod, volumeName, claim, move, location },
        ...{ priority: 0, gang: undefined, waitedMs: 0 },
      },
      progress: () => undefined,
      onWaiting: () => undefined,
      onRevoked: () => this.stop('revoked'),
    });
    if (answer !== 'queued') return answer;
    const { signal } = this.#end;
    signal.addEventListener('abort', () => resolve('granted'), { once: true });
    return await promise;
  }
}

function orderOf({ namespace, pod, podUid, volumeName, location }: WantedVolume) {
  return {
    repository: { volumeNamespace: namespace, backupStorageLocation: location },
    volume: { podUid, podNamespace: namespace, podName: pod, volume: volumeName },
  };
}
