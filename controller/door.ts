// Where agents come in: to the sessions of whoever reigns, and away again while somebody else does.
// An agent that is turned away so tries again, and comes to the leader where a Service has both.

import type { SessionCall } from '#proto/session-server.ts';
import type { AgentSessions } from './sessions/agent-sessions.ts';
import { type RefusalCounts, refuse } from './sessions/refusals.ts';

export class Door {
  readonly #counts: RefusalCounts;
  #sessions: Pick<AgentSessions, 'onCall'> | undefined;

  constructor(counts: RefusalCounts) {
    this.#counts = counts;
  }

  /** Until the function that comes back is called. */
  open(sessions: Pick<AgentSessions, 'onCall'>): () => void {
    this.#sessions = sessions;
    return () => {
      if (this.#sessions === sessions) this.#sessions = undefined;
    };
  }

  /** Of SessionServer. Nothing is read of a call that is turned away, its token not looked at. */
  readonly onCall = (call: SessionCall): void => {
    if (this.#sessions !== undefined) return this.#sessions.onCall(call);
    this.#counts.add('standby');
    call.end(refuse('standby', 'this controller stands by for another one; try again'));
  };
}
