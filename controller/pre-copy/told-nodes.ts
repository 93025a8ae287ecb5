// What each node's agent was told to copy ahead: it is told again when that has changed, and when
// it has a new session. An agent that does not understand it is told nothing.

import type { Clock } from '#engine/base/clock.ts';
import type { PreCopy } from '#proto/pre-copy-wire.ts';
import { PRE_COPY_CAPABILITY } from '#proto/wire-limits.ts';
import type { AgentSession } from '#controller/sessions/agent-session.ts';
import type { DuePreCopy } from './decide-pre-copies.ts';

export interface Sessions {
  readonly nodes: Iterable<string>;
  session(node: string): Pick<AgentSession, 'hello' | 'tellPreCopies'> | undefined;
}

interface Told {
  readonly session: object;
  readonly text: string;
}

export class ToldNodes {
  readonly #clock: Pick<Clock, 'now'>;
  #told = new Map<string, Told>();

  constructor(clock: Pick<Clock, 'now'>) {
    this.#clock = clock;
  }

  tell(wanted: ReadonlyMap<string, readonly DuePreCopy[]>, sessions: Sessions): void {
    const told = new Map<string, Told>();
    for (const node of sessions.nodes) {
      const session = sessions.session(node);
      if (!session?.hello.capabilities.includes(PRE_COPY_CAPABILITY)) continue;
      const own = wanted.get(node) ?? [];
      const text = JSON.stringify(own);
      const before = this.#told.get(node);
      told.set(node, { session, text });
      if (before?.session === session && before.text === text) continue;
      session.tellPreCopies(() => this.#asOfNow(own));
    }
    this.#told = told;
  }

  #asOfNow(own: readonly DuePreCopy[]): PreCopy[] {
    const nowMs = this.#clock.now();
    return own
      .map(each => ({ ...each, leftMs: Math.floor(each.dueMs - nowMs) }))
      .filter(({ leftMs }) => leftMs > 0);
  }
}
