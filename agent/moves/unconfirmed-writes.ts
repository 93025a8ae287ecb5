// Phases that were sent to the server and not confirmed yet. A write whose answer is lost may have
// been done all the same; then the object shows that phase, and it is told of when it is seen.

import { keyOf, type ObjectKey } from '#kube/kube-object.ts';
import type { MoveEnd } from './move-end.ts';
import type { MoveObject } from './objects/move-object.ts';
import { isTerminal, phaseOf, type Phase, type TerminalPhase } from './phases.ts';

/** On the way to the end, with what tells it from the same phase written by another agent. */
export interface Passage {
  readonly phase: Exclude<Phase, TerminalPhase>;
  readonly fields: Readonly<Record<string, unknown>>;
  readonly message?: undefined;
  readonly warning?: undefined;
  readonly mayHaveLeft?: undefined;
}

/** In place of a secret that the client has left out of a message (agent/hiding-client.ts). */
const HIDDEN = '[hidden]';

export type PhaseWritten = MoveEnd | Passage;

export class UnconfirmedWrites {
  readonly #writes = new Map<ObjectKey, { readonly uid: string; readonly sent: PhaseWritten }>();

  /** It is being written. */
  add(item: MoveObject, sent: PhaseWritten): void {
    this.#writes.set(keyOf(item), { uid: item.metadata.uid ?? '', sent });
  }

  /** Once: what was written, when `item` shows it. What else it shows is another's. */
  take(item: MoveObject): PhaseWritten | undefined {
    const key = keyOf(item);
    const write = this.#writes.get(key);
    if (write === undefined) return undefined;
    const isShown = write.uid === item.metadata.uid && shows(item, write.sent);
    // What is not shown yet may still come, but never after an end.
    if (isShown || isTerminal(phaseOf(item.status?.phase) ?? 'New')) this.#writes.delete(key);
    return isShown ? write.sent : undefined;
  }

  /** The object is gone. */
  forget(key: ObjectKey): void {
    this.#writes.delete(key);
  }
}

function shows({ status = {} }: MoveObject, sent: PhaseWritten): boolean {
  if ((status.phase || 'New') !== sent.phase) return false;
  if (isTerminal(sent.phase)) {
    // An absent message has kept whatever was there.
    return sent.message === undefined || isSame(status.message ?? '', sent.message ?? '');
  }
  // Names of nodes; one that the CRD does not have is not there.
  const shown: Readonly<Record<string, unknown>> = { ...status };
  return Object.entries(sent.fields).every(([name, value]) => (shown[name] ?? value) === value);
}

/** Any text may have stood where something is hidden. */
function isSame(shown: string, sent: string): boolean {
  const [first = '', ...pieces] = shown.split(HIDDEN);
  const last = pieces.pop();
  if (last === undefined) return shown === sent;
  if (!sent.startsWith(first)) return false;
  let end = first.length;
  for (const piece of pieces) {
    const at = sent.indexOf(piece, end);
    if (at === -1) return false;
    end = at + piece.length;
  }
  return sent.length >= end + last.length && sent.endsWith(last);
}
