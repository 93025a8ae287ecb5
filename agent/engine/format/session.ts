// Write sessions (kopia repo/content/sessions.go). Packs carry the id of the session that wrote
// them; as long as the session's marker is there and young, maintenance spares them although no
// index names them yet. The marker is written before the session's first pack.

import { toHex } from '#engine/base/bytes.ts';
import { goJson } from '#engine/base/json.ts';
import { formatTimestamp } from '#engine/base/timestamp.ts';
import type { RandomBytes } from './aes-gcm.ts';
import { SESSION_PREFIX } from './blob-names.ts';
import {
  documentBytes,
  documentText,
  failing,
  JsonFields,
  type ExtraFields,
} from './json-fields.ts';

const RANDOM_BYTES = 8;
const MONTH_MS = 30 * 86_400_000;
const FIRST_MONTH_MS = Date.UTC(2000, 0, 1);

export interface SessionMarker {
  readonly id: string;
  readonly startTimeNs: bigint;
  /** When the session was last known to be alive. */
  readonly checkpointTimeNs: bigint;
  readonly userName: string;
  readonly hostName: string;
  readonly extra?: ExtraFields;
}

/** s, 8 random bytes, and the number of the month since 2000, a month being 30 days. */
export function newSessionId(nowMs: number, random: RandomBytes): string {
  const month = Math.floor((nowMs - FIRST_MONTH_MS) / MONTH_MS);
  return `${SESSION_PREFIX}${toHex(random(RANDOM_BYTES))}${month.toString(16)}`;
}

export function encodeSessionMarker(marker: SessionMarker): Uint8Array {
  return documentBytes(
    goJson({
      id: marker.id,
      startTime: formatTimestamp(marker.startTimeNs),
      checkpointTime: formatTimestamp(marker.checkpointTimeNs),
      username: marker.userName,
      hostname: marker.hostName,
      ...marker.extra,
    }),
  );
}

/**
 * @param blobId for messages
 * @throws REPOSITORY_FORMAT_INVALID; kopia's maintenance stops at such a blob, too
 */
export function decodeSessionMarker(bytes: Uint8Array, blobId: string): SessionMarker {
  const advice = 'delete the blob when no backup is running';
  const fail = failing('REPOSITORY_FORMAT_INVALID', `session marker ${blobId}`, advice);
  const fields = JsonFields.parse(documentText(bytes), fail);
  return {
    id: fields.text('id'),
    startTimeNs: fields.timestampNs('startTime') ?? 0n,
    checkpointTimeNs: fields.timestampNs('checkpointTime') ?? 0n,
    userName: fields.text('username'),
    hostName: fields.text('hostname'),
    extra: fields.extra(),
  };
}
