// Fairness between namespaces: each priority has a clock that counts turns, and a namespace that
// asks for much gets turns that lie behind one another, so that one that asks for little comes in
// between (start-time fair queueing: P. Goyal, H. Vin, H. Cheng, SIGCOMM 1996; a slot costs one).

/** Namespaces that are remembered before those are forgotten whose turns are over. */
const NAMESPACES_MAX = 1_000;

interface Level {
  /** The turn that was served last. */
  clock: number;
  waitingCount: number;
  /** Where the next turn of a namespace lies, for those that are ahead of the clock. */
  readonly nextOf: Map<string, number>;
}

export class Turns {
  readonly #levels = new Map<number, Level>();

  /** The turn of a unit of `slotCount` slots; smaller goes first. */
  take(priority: number, namespace: string, slotCount: number): number {
    const level = this.#level(priority);
    const turn = Math.max(level.clock, level.nextOf.get(namespace) ?? 0);
    level.nextOf.set(namespace, turn + slotCount);
    level.waitingCount += 1;
    return turn;
  }

  /** Its slots were granted. */
  serve(priority: number, turn: number): void {
    const level = this.#level(priority);
    level.clock = Math.max(level.clock, turn);
    if (level.nextOf.size > NAMESPACES_MAX) {
      for (const [namespace, next] of level.nextOf) {
        if (next <= level.clock) level.nextOf.delete(namespace);
      }
    }
    this.#leave(priority, level);
  }

  /** It does not want them any more: the namespace gets its turns back. */
  giveBack(priority: number, namespace: string, slotCount: number): void {
    const level = this.#level(priority);
    const next = level.nextOf.get(namespace);
    if (next !== undefined) level.nextOf.set(namespace, next - slotCount);
    this.#leave(priority, level);
  }

  /** Nobody waits: who had much before owes nothing to those who come now. */
  #leave(priority: number, level: Level): void {
    level.waitingCount -= 1;
    if (level.waitingCount === 0) this.#levels.delete(priority);
  }

  #level(priority: number): Level {
    let level = this.#levels.get(priority);
    if (level === undefined) {
      level = { clock: 0, waitingCount: 0, nextOf: new Map() };
      this.#levels.set(priority, level);
    }
    return level;
  }
}
