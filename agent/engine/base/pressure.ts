// Gives way to others on a machine that is short of something: the kernel tells for how much of the
// last ten seconds somebody had to wait for memory or for a disk
// (Documentation/accounting/psi.rst), and from that follows what share of the worker threads may be
// busy. Never none: a backup that waits for a quiet machine may wait forever.

import { readFileSync } from 'node:fs';

export interface Pressure {
  /** Percent of the last ten seconds in which some task waited for it. */
  readonly io: number;
  readonly memory: number;
}

interface Step {
  readonly io: number;
  readonly memory: number;
  readonly share: number;
}

/**
 * From the worst down. A backup that reads from a disk makes the disk busy itself, so that alone
 * counts late; waiting for memory is always somebody's loss.
 */
const STEPS: readonly Step[] = Object.freeze([
  { io: 90, memory: 40, share: 0.25 },
  { io: 70, memory: 15, share: 0.5 },
]);
/** A step is left again when the pressure is below this part of what it is entered at. */
const LEAVE_AT = 0.7;

/** What share of the threads may be busy, given the share until now. */
export function busyShare(pressure: Pressure, share: number): number {
  const isAt = (step: Step, part: number) =>
    pressure.io >= step.io * part || pressure.memory >= step.memory * part;
  const found = STEPS.find(step => isAt(step, step.share >= share ? LEAVE_AT : 1));
  return found?.share ?? 1;
}

/** `some avg10` of a pressure file; 0 where the kernel does not tell. */
export function someOfLastTenSeconds(text: string | undefined): number {
  return Number(/^some avg10=(\d+(?:\.\d+)?) /m.exec(text ?? '')?.[1] ?? 0);
}

/** The pressure on the machine, or on our own control group where that is greater. */
export function readPressure(readText = readFile): Pressure {
  const group = /^0::(\/.*)$/m.exec(readText('/proc/self/cgroup') ?? '')?.[1];
  const greatest = (what: string) =>
    Math.max(
      someOfLastTenSeconds(readText(`/proc/pressure/${what}`)),
      group === undefined
        ? 0
        : someOfLastTenSeconds(
            readText(`/sys/fs/cgroup${group.replace(/\/$/, '')}/${what}.pressure`),
          ),
    );
  return { io: greatest('io'), memory: greatest('memory') };
}

/** How often the kernel is asked. */
const INTERVAL_MS = 1000;

export interface WatchOptions {
  readonly read?: () => Pressure;
  readonly intervalMs?: number;
}

/** Tells `onShare` whenever the share has changed. Does not keep the process running. */
export class PressureWatch implements Disposable {
  readonly #timer: NodeJS.Timeout;
  #share = 1;

  constructor(onShare: (share: number) => void, { read, intervalMs }: WatchOptions = {}) {
    this.#timer = setInterval(() => {
      const share = busyShare(read?.() ?? readPressure(), this.#share);
      if (share === this.#share) return;
      this.#share = share;
      onShare(share);
    }, intervalMs ?? INTERVAL_MS).unref();
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}

function readFile(path: string): string | undefined {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return undefined;
  }
}
