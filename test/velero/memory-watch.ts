// The most memory that each program of the data path has had resident (VmHWM of
// proc_pid_status(5)), of programs that may be gone by now.

import { commandOf, processIds, readIfThere } from './program-figures.ts';

const LOOK_EVERY_MS = 100;

const ROLES: readonly (readonly [role: string, command: RegExp])[] = [
  ['agent', /^\/velero node-agent|stevedore\.js node-agent/],
  ['mover of stock', /^\/velero pod-volume/],
];

export class MemoryWatch implements Disposable {
  readonly #peaks = new Map<string, number>();
  readonly #timer = setInterval(() => this.#look(), LOOK_EVERY_MS);

  static start(): MemoryWatch {
    return new MemoryWatch();
  }

  /** `agent 82 MB, mover of stock 141 MB` */
  text(): string {
    this.#look();
    const each = [...this.#peaks].map(([role, kib]) => `${role} ${Math.round(kib / 1000)} MB`);
    return each.join(', ');
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    for (const pid of processIds()) {
      const command = commandOf(pid);
      const role = ROLES.find(([, pattern]) => pattern.test(command))?.[0];
      if (role === undefined) continue;
      const kib = Number(/VmHWM:\s+(\d+)/.exec(readIfThere(`/proc/${pid}/status`))?.[1] ?? 0);
      this.#peaks.set(role, Math.max(kib, this.#peaks.get(role) ?? 0));
    }
  }
}
