// The messages about slots (slot-messages.ts) as the wire carries them. Reports come from programs
// on nodes that may be anything: they are read field by field and refused as a whole.

import type { SlotReport as WireReport } from './generated/stevedore/v1/SlotReport.ts';
import type { SlotReport__Output as ReadReport } from './generated/stevedore/v1/SlotReport.ts';
import type { GrantSerial__Output as ReadSerial } from './generated/stevedore/v1/GrantSerial.ts';
import type { SlotHold__Output as ReadHold } from './generated/stevedore/v1/SlotHold.ts';
import type { SlotRequest__Output as ReadRequest } from './generated/stevedore/v1/SlotRequest.ts';
import type { SlotVolume as WireVolume } from './generated/stevedore/v1/SlotVolume.ts';
import type { SlotVolume__Output as ReadVolume } from './generated/stevedore/v1/SlotVolume.ts';
import {
  type GrantSerial,
  PRIORITY_MAX,
  type SlotHold,
  type SlotReport,
  type SlotRequest,
  type SlotVolume,
} from './slot-messages.ts';
import {
  invalid,
  requireCount,
  requireList,
  requireName,
  requirePart,
  requireText,
  requireTime,
} from './wire-fields.ts';
import { GANG_COUNT_MAX, HOLDS_MAX, REQUESTS_MAX, SLOTS_MAX } from './wire-limits.ts';

/** Its node and session are those of the wire's session, and are not said again. */
export function reportToWire(report: SlotReport): WireReport {
  const { sequence, epoch, sentAtMs, slotsMax, requests, holds } = report;
  return {
    sequence,
    epoch,
    sentAtMs,
    slotsMax,
    requests: requests.slice(0, REQUESTS_MAX).map(request => ({
      volume: volumeToWire(request),
      number: request.number,
      priority: request.priority,
      waitedMs: Math.max(0, Math.floor(request.waitedMs)),
    })),
    holds: holds.map(hold => ({
      volume: volumeToWire(hold),
      number: hold.number,
      grant: hold.grant && { epoch: hold.grant.epoch, serial: hold.grant.serial },
      alone: hold.isAlone,
    })),
  };
}

/** @throws COORDINATOR_MESSAGE_INVALID */
export function reportFromWire(
  wire: ReadReport,
  { node, session }: Pick<SlotReport, 'node' | 'session'>,
): SlotReport {
  const ids = new Set<string>();
  const report = {
    node,
    session,
    sequence: requireCount(wire.sequence, 'sequence'),
    epoch: requireCount(wire.epoch, 'epoch'),
    sentAtMs: requireTime(wire.sentAtMs, 'sent_at_ms'),
    slotsMax: requireCount(wire.slotsMax, 'slots_max', SLOTS_MAX),
    requests: requireList(wire.requests, 'requests', REQUESTS_MAX).map(requestFromWire),
    holds: requireList(wire.holds, 'holds', HOLDS_MAX).map(holdFromWire),
  };
  for (const { id } of [...report.requests, ...report.holds]) {
    if (ids.has(id)) throw invalid('a volume stands in a report twice');
    ids.add(id);
  }
  return report;
}

export function volumeToWire(volume: SlotVolume): WireVolume {
  const { id, namespace, pod, storageClass, location, gang, move, volumeName } = volume;
  const wireGang = gang && { key: gang.key, count: gang.count };
  return { id, namespace, pod, storageClass, location, gang: wireGang, move, volumeName };
}

/** @throws COORDINATOR_MESSAGE_INVALID */
export function volumeFromWire(wire: ReadVolume | null): SlotVolume {
  const volume = requirePart(wire, 'volume');
  const { id, namespace, pod, storageClass, location, gang, move, volumeName } = volume;
  return {
    id: requireName(id, 'id'),
    namespace: requireName(namespace, 'namespace'),
    pod: requireText(pod, 'pod'),
    storageClass: requireText(storageClass, 'storage_class'),
    location: requireText(location, 'location'),
    gang: gang === null ? undefined : gangFromWire(gang),
    move: requireText(move, 'move'),
    volumeName: requireText(volumeName, 'volume_name'),
  };
}

function gangFromWire({ key, count }: NonNullable<ReadVolume['gang']>): SlotVolume['gang'] {
  const known = count === undefined ? undefined : requireCount(count, 'gang.count', GANG_COUNT_MAX);
  return { key: requireName(key, 'gang.key'), count: known };
}

function requestFromWire({ volume, number, priority, waitedMs }: ReadRequest): SlotRequest {
  return {
    ...volumeFromWire(volume),
    number: requireCount(number, 'number'),
    priority: requireCount(priority, 'priority', PRIORITY_MAX),
    waitedMs: requireCount(waitedMs, 'waited_ms'),
  };
}

/** Which grant it is. @throws COORDINATOR_MESSAGE_INVALID */
export function grantSerialFromWire({ epoch, serial }: ReadSerial): GrantSerial {
  return {
    epoch: requireCount(epoch, 'grant.epoch'),
    serial: requireCount(serial, 'grant.serial'),
  };
}

function holdFromWire({ volume, number, grant, alone }: ReadHold): SlotHold {
  return {
    ...volumeFromWire(volume),
    number: requireCount(number, 'number'),
    grant: grant === null ? undefined : grantSerialFromWire(grant),
    isAlone: alone,
  };
}
