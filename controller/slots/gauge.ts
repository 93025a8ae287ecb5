// One limit and what is used of it. During a decision slots can also be kept, for a request that
// goes first and cannot be served yet; what is kept is forgotten with the next decision (the next
// round).

export type GaugeKind = 'node' | 'storage-class' | 'location' | 'cluster';

/** What a request names as the limit that it waits for. */
export interface GaugeName {
  readonly kind: GaugeKind;
  /** Empty for the cluster. */
  readonly name: string;
}

let gaugeCount = 0;

export class Gauge implements GaugeName {
  readonly kind: GaugeKind;
  readonly name: string;
  /** For keys of maps; no two gauges of a process share it. */
  readonly index: number;
  /** Undefined: counted and not limited. */
  max: number | undefined;
  used = 0;
  /** Volumes that wait or move here; without any the gauge can be forgotten. */
  volumeCount = 0;
  #kept = 0;
  #keptIn = -1;
  #keptFor = '';
  #frontIn = -1;

  constructor(kind: GaugeKind, name: string, max: number | undefined) {
    this.kind = kind;
    this.name = name;
    this.max = max;
    this.index = gaugeCount++;
  }

  /** Slots that may be given in this round; negative after a limit was lowered. */
  room(round: number): number {
    if (this.max === undefined) return Number.MAX_SAFE_INTEGER;
    const room = this.max - this.used;
    return this.#keptIn === round ? room - this.#kept : room;
  }

  keep(count: number, forId: string, round: number): void {
    if (this.#keptIn !== round) this.#kept = 0;
    this.#keptIn = round;
    this.#kept += count;
    this.#keptFor = forId;
  }

  /** For whom something is kept in this round. */
  keptFor(round: number): string | undefined {
    return this.#keptIn === round ? this.#keptFor : undefined;
  }

  /** True once somebody keeps slots because this limit does not let it begin. */
  hasFront(round: number): boolean {
    return this.#frontIn === round;
  }

  takeFront(round: number): void {
    this.#frontIn = round;
  }
}
