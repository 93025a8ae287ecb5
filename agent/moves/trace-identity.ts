// Which trace a move belongs to. Whoever has to do with the move comes to the same answer, an agent
// that takes it over among them, and without asking anybody. Pure.

import { createHash } from 'node:crypto';
import type { MoveObject } from './objects/move-object.ts';
import { ANNOTATIONS } from './objects/well-known-names.ts';
import type { TraceParent } from './move-trace.ts';

export interface TraceIdentity {
  readonly traceId: string;
  readonly parent?: TraceParent;
}

/** Version, trace, span, flags; later versions may go on (W3C Trace Context, §3.2 and §4). */
const TRACEPARENT = /^(?!ff)[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(?:-.*)?$/;
const TRACE_ID = /^[0-9a-f]{32}$/;
const ZEROS = /^0+$/;

/**
 * That of an agent before, else that of whoever asked for the move, else one that is made of the
 * uid: a random UUID has as many digits as the id of a trace, and people can tell one by the other.
 */
export function traceIdentityOf({ metadata }: MoveObject): TraceIdentity {
  const { annotations = {}, uid = '' } = metadata;
  const parent = parentIn(annotations[ANNOTATIONS.traceParent] ?? '');
  const before = annotations[ANNOTATIONS.traceId] ?? '';
  const isKnown = TRACE_ID.test(before) && !ZEROS.test(before);
  const traceId = isKnown ? before : (parent?.traceId ?? traceIdOf(uid));
  return parent?.traceId === traceId ? { traceId, parent } : { traceId };
}

function traceIdOf(uid: string): string {
  const digits = uid.replaceAll('-', '').toLowerCase();
  if (TRACE_ID.test(digits) && !ZEROS.test(digits)) return digits;
  return createHash('sha256').update(uid).digest('hex').slice(0, 32);
}

function parentIn(text: string): TraceParent | undefined {
  const [, traceId = '', spanId = '', flags = ''] = TRACEPARENT.exec(text) ?? [];
  if (traceId === '' || ZEROS.test(traceId) || ZEROS.test(spanId)) return undefined;
  return { traceId, spanId, isSampled: (Number.parseInt(flags, 16) & 1) === 1 };
}
