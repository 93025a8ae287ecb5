// Session markers: small blobs that tell maintenance of every client that packs named after the
// session are being written and must not be collected yet (kopia repo/content/sessions.go).

import { randomBytes } from 'node:crypto';
import type { Clock } from '#engine/base/clock.ts';
import type { ContentCipher } from '#engine/cipher/content-cipher.ts';
import { sealBytes } from '#engine/cipher/seal-bytes.ts';
import { ivOfBlobId, sessionBlobId } from '#engine/format/blob-names.ts';
import { encodeSessionMarker, newSessionId } from '#engine/format/session.ts';
import type { ContentHash } from '#engine/hash/content-hash.ts';
import type { Storage } from '#engine/storage/storage.ts';
import { digestBytes } from '#engine/workers/digest-bytes.ts';
import { requireSameTime } from './storage-clock.ts';
import type { Tidying } from './tidying.ts';

export interface SessionMarker {
  readonly sessionId: string;
  readonly blobId: string;
}

export interface SessionOwner {
  readonly user: string;
  readonly host: string;
}

export class SessionMarkers {
  readonly #storage: Storage;
  readonly #hash: ContentHash;
  readonly #cipher: ContentCipher;
  readonly #clock: Clock;
  readonly #owner: SessionOwner;
  readonly #tidying: Tidying;

  constructor(
    storage: Storage,
    crypto: { hash: ContentHash; cipher: ContentCipher },
    clock: Clock,
    { owner, tidying }: { readonly owner: SessionOwner; readonly tidying: Tidying },
  ) {
    this.#storage = storage;
    this.#tidying = tidying;
    this.#hash = crypto.hash;
    this.#cipher = crypto.cipher;
    this.#clock = clock;
    this.#owner = owner;
  }

  /**
   * Begins a session; its marker is durable on return.
   * @throws CLOCK_SKEW when the storage's clock differs by more than five minutes: contents would
   *   get times at which other clients may collect them at once
   */
  async write(signal?: AbortSignal): Promise<SessionMarker> {
    const now = this.#clock.nowNanoseconds();
    const sessionId = newSessionId(this.#clock.now(), randomBytes);
    const { user, host } = this.#owner;
    const plaintext = encodeSessionMarker({
      id: sessionId,
      startTimeNs: now,
      checkpointTimeNs: now,
      userName: user,
      hostName: host,
    });
    const blobId = sessionBlobId(digestBytes(this.#hash, plaintext), sessionId);
    const sealed = sealBytes(this.#cipher, plaintext, ivOfBlobId(blobId));
    await this.#storage.put(blobId, [sealed], { signal });
    const marker = { sessionId, blobId };
    try {
      await requireSameTime(this.#storage, blobId, this.#clock, signal);
    } catch (error) {
      await this.#tidying.remove(blobId, signal);
      throw error;
    }
    return marker;
  }

  /** Ends a session whose index blobs are durable. */
  async remove(marker: SessionMarker, signal?: AbortSignal): Promise<void> {
    await this.#tidying.remove(marker.blobId, signal);
  }
}
