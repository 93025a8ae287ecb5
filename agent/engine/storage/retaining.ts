// Puts an object lock on the blobs that a repository with retention protects (kopia v0.23
// repo/open.go, repo/locking_storage.go; kopia-format.md 2.9). The settings come from
// kopia.blobcfg, so who opens the repository wraps its storage with this after reading that. They
// may change while it is open.

import { systemClock, type Clock } from '#engine/base/clock.ts';
import { isRetainedBlob } from '#engine/format/blob-config.ts';
import type { PutOptions, Retention, Storage } from './storage.ts';
import { wrap } from './wrap.ts';

export interface RetentionSettings {
  readonly mode: Retention['mode'];
  readonly periodMs: number;
}

/** `inner` with a lock from now for the period, if any, on each put of a retained blob. */
export function retaining(
  inner: Storage,
  settings: () => RetentionSettings | undefined,
  clock: Pick<Clock, 'now'> = systemClock,
): Storage {
  const locked = (id: string, options: PutOptions | undefined): PutOptions | undefined => {
    if (!isRetainedBlob(id) || options?.retention) return options;
    const current = settings();
    if (!current) return options;
    const retention = { mode: current.mode, untilMs: clock.now() + current.periodMs };
    return { ...options, retention };
  };
  const stage = inner.stage?.bind(inner);
  return wrap(inner, {
    put: (id, pieces, options) => inner.put(id, pieces, locked(id, options)),
    stage: stage && ((id, options) => stage(id, locked(id, options))),
  });
}
