// What the controller answers about slots, as the wire carries it.

import type { SlotAnswer as WireAnswer } from './generated/stevedore/v1/SlotAnswer.ts';
import type { SlotAnswer__Output as ReadAnswer } from './generated/stevedore/v1/SlotAnswer.ts';
import type { SlotGrant as WireGrant } from './generated/stevedore/v1/SlotGrant.ts';
import type { SlotGrant__Output as ReadGrant } from './generated/stevedore/v1/SlotGrant.ts';
import type {
  _stevedore_v1_SlotWait_Cause as WireCause,
  SlotWait as WireWait,
  SlotWait__Output as ReadWait,
} from './generated/stevedore/v1/SlotWait.ts';
import { WAIT_CAUSES } from './slot-messages.ts';
import type { GrantReason, SlotAnswer, SlotGrant, SlotWait } from './slot-messages.ts';
import { grantSerialFromWire } from './slot-wire.ts';
import {
  requireCount,
  requireList,
  requireName,
  requirePart,
  requireText,
  requireTime,
} from './wire-fields.ts';
import { GRANTS_MAX, WAITS_MAX } from './wire-limits.ts';

export function answerToWire(answer: SlotAnswer): WireAnswer {
  const { session, epoch, number, heard, grants, revoked, waits = [] } = answer;
  return {
    session,
    epoch,
    number,
    heard: { sequence: heard.sequence, sentAtMs: heard.sentAtMs },
    grants: grants.map(grantToWire),
    revoked: revoked.map(id => ({ id })),
    waits: waits.map(waitToWire),
  };
}

/** `node`: whose session it came over. @throws COORDINATOR_MESSAGE_INVALID */
export function answerFromWire(wire: ReadAnswer, node: string): SlotAnswer {
  const heard = requirePart(wire.heard, 'heard');
  return {
    node,
    session: requireCount(wire.session, 'session'),
    epoch: requireCount(wire.epoch, 'epoch'),
    number: requireCount(wire.number, 'number'),
    heard: {
      sequence: requireCount(heard.sequence, 'heard.sequence'),
      sentAtMs: requireTime(heard.sentAtMs, 'heard.sent_at_ms'),
    },
    grants: requireList(wire.grants, 'grants', GRANTS_MAX).map(grant => grantFromWire(grant, node)),
    revoked: requireList(wire.revoked, 'revocations', GRANTS_MAX).map(({ id }) =>
      requireName(id, 'id'),
    ),
    waits: requireList(wire.waits, 'waits', WAITS_MAX).map(waitFromWire),
  };
}

export function waitToWire({ id, place, cause, limit }: SlotWait): WireWait {
  // The numbers of the enum are places in that list; a test compares.
  return { id, place, cause: WAIT_CAUSES.indexOf(cause) as WireCause, limit };
}

/** @throws COORDINATOR_MESSAGE_INVALID */
export function waitFromWire({ id, place, cause, limit }: ReadWait): SlotWait {
  return {
    id: requireName(id, 'id'),
    place: requireCount(place, 'place'),
    cause: WAIT_CAUSES[cause] ?? 'later',
    limit: limit
      ? { kind: requireText(limit.kind, 'limit.kind'), name: requireText(limit.name, 'limit.name') }
      : undefined,
  };
}

export function grantToWire({ id, number, epoch, serial, reason }: SlotGrant): WireGrant {
  return { grant: { epoch, serial }, id, number, ...reasonToWire(reason) };
}

function reasonToWire(reason: GrantReason): Partial<WireGrant> {
  switch (reason.kind) {
    case 'turn':
      return { turn: { priority: reason.priority } };
    case 'overdue':
      return { overdue: { waitedMs: Math.floor(reason.waitedMs) } };
    case 'gang':
      return { gang: { gang: reason.gang, count: reason.count } };
    case 'wave': {
      const { gang, wave, count, leftCount } = reason;
      return { wave: { gang, wave, count, leftCount } };
    }
    case 'later':
      return {};
  }
}

/** @throws COORDINATOR_MESSAGE_INVALID */
export function grantFromWire(wire: ReadGrant, node: string): SlotGrant {
  const serial = grantSerialFromWire(requirePart(wire.grant, 'grant'));
  return {
    ...serial,
    id: requireName(wire.id, 'id'),
    node,
    number: requireCount(wire.number, 'number'),
    reason: reasonFromWire(wire),
  };
}

function reasonFromWire({ turn, overdue, gang, wave }: ReadGrant): GrantReason {
  if (turn) return { kind: 'turn', priority: requireCount(turn.priority, 'priority') };
  if (overdue) return { kind: 'overdue', waitedMs: requireCount(overdue.waitedMs, 'waited_ms') };
  if (gang) {
    const count = requireCount(gang.count, 'count');
    return { kind: 'gang', gang: requireText(gang.gang, 'gang'), count };
  }
  if (!wave) return { kind: 'later' };
  return {
    kind: 'wave',
    gang: requireText(wave.gang, 'gang'),
    wave: requireCount(wave.wave, 'wave'),
    count: requireCount(wave.count, 'count'),
    leftCount: requireCount(wave.leftCount, 'left_count'),
  };
}
