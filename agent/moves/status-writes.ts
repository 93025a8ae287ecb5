// Objects as they are written: the whole object as it was read, with what changes in it. Unknown
// fields survive, spec is never touched, and nothing is written that the CRD does not have.

import type { StatusRules } from './crd-phases.ts';
import { hasField } from './crd-phases.ts';
import { LABELS } from './objects/well-known-names.ts';
import type { MoveObject } from './objects/move-object.ts';
import type { Phase, TerminalPhase } from './phases.ts';
import type { MoveProgress } from './volume-mover.ts';

type Fields = Readonly<Record<string, unknown>>;

/** metav1.Time: whole seconds. */
export function timeText(milliseconds: number): string {
  return `${new Date(milliseconds).toISOString().slice(0, 19)}Z`;
}

export interface PhaseWrite {
  readonly phase: Exclude<Phase, TerminalPhase>;
  readonly nowMs: number;
  readonly rules: StatusRules;
  /** Of the adapter, with that phase. */
  readonly fields?: Fields;
  /** Of a kind for which something is made: what keeps the object until that is gone. */
  readonly finalizer?: string;
}

export function withPhase<Item extends MoveObject>(
  item: Item,
  { phase, nowMs, rules, fields = {}, finalizer }: PhaseWrite,
): Item {
  const now = timeText(nowMs);
  switch (phase) {
    case 'New':
      return withStatus(item, rules, { phase, acceptedTimestamp: undefined, node: undefined });
    case 'Accepted':
      return withStatus(finalizer === undefined ? item : withFinalizer(item, finalizer), rules, {
        ...fields,
        phase,
        acceptedTimestamp: now,
      });
    case 'InProgress':
      return withStatus(withoutExposeLabel(item), rules, { ...fields, phase, startTimestamp: now });
    default:
      return withStatus(item, rules, { ...fields, phase });
  }
}

export interface TerminalWrite {
  readonly phase: TerminalPhase;
  readonly nowMs: number;
  readonly rules: StatusRules;
  readonly fields?: Fields;
  /** Absent: one that is there is kept, `null`: it goes. */
  readonly message?: string | null;
  /** Of a kind whose end something has to follow: what keeps the object until then. */
  readonly finalizer?: string;
}

export function withEnd<Item extends MoveObject>(
  item: Item,
  { phase, nowMs, rules, fields = {}, message, finalizer }: TerminalWrite,
): Item {
  const now = timeText(nowMs);
  // The API server takes no new one for what is being deleted.
  const isKept = finalizer !== undefined && item.metadata.deletionTimestamp === undefined;
  const kept = isKept ? withFinalizer(item, finalizer) : item;
  return withStatus(withoutExposeLabel(kept), rules, {
    ...fields,
    phase,
    startTimestamp: item.status?.startTimestamp ?? now,
    completionTimestamp: now,
    ...(message === undefined ? {} : { message: message ?? undefined }),
  });
}

export function withProgress<Item extends MoveObject>(item: Item, progress: MoveProgress): Item {
  const { totalBytes, bytesDone } = progress;
  return { ...item, status: { ...item.status, progress: { totalBytes, bytesDone } } };
}

export function withoutFinalizer<Item extends MoveObject>(item: Item, finalizer: string): Item {
  const rest = item.metadata.finalizers?.filter(name => name !== finalizer) ?? [];
  const finalizers = rest.length > 0 ? rest : undefined;
  return { ...item, metadata: { ...item.metadata, finalizers } };
}

/** With the label by which agents count what is being prepared. */
function withFinalizer<Item extends MoveObject>(item: Item, finalizer: string): Item {
  const { finalizers = [], labels } = item.metadata;
  const metadata = {
    ...item.metadata,
    labels: { ...labels, [LABELS.exposeOnGoing]: 'true' },
    finalizers: finalizers.includes(finalizer) ? finalizers : [...finalizers, finalizer],
  };
  return { ...item, metadata };
}

/** Stock counts the objects that have it; one that is under way or ended has not. */
function withoutExposeLabel<Item extends MoveObject>(item: Item): Item {
  const { labels } = item.metadata;
  if (labels?.[LABELS.exposeOnGoing] === undefined) return item;
  const { [LABELS.exposeOnGoing]: _gone, ...rest } = labels;
  return { ...item, metadata: { ...item.metadata, labels: rest } };
}

/** Undefined takes a field away: JSON has no undefined. */
function withStatus<Item extends MoveObject>(item: Item, rules: StatusRules, fields: Fields): Item {
  const known = Object.entries(fields).filter(([name]) => hasField(rules, name));
  return { ...item, status: { ...item.status, ...Object.fromEntries(known) } };
}
