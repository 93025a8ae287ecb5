// What a running program has taken of the machine so far (proc_pid_status(5)).

import { readdirSync, readFileSync } from 'node:fs';
import { cpuSecondsOf } from '#test/support/process-cpu.ts';

export interface ProgramFigures {
  readonly residentMib: number;
  /** Of all its threads, user and system. */
  readonly cpuSeconds: number;
}

/** Of the one process whose command line matches. */
export function programFigures(command: RegExp): ProgramFigures {
  const [pid, ...others] = processesOf(command);
  if (pid === undefined || others.length > 0) {
    throw new Error(`${others.length + Number(pid !== undefined)} processes match ${command}`);
  }
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const residentMib = Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024;
  return { residentMib, cpuSeconds: cpuSecondsOf(pid) };
}

/** Ids of those whose command lines match. */
export function processesOf(command: RegExp): string[] {
  return processIds().filter(pid => command.test(commandOf(pid)));
}

export function processIds(): string[] {
  return readdirSync('/proc').filter(name => /^\d+$/.test(name));
}

/** With blanks between its words; empty when the process has ended. */
export function commandOf(pid: string): string {
  return readIfThere(`/proc/${pid}/cmdline`).replaceAll('\0', ' ');
}

/** Empty when the process has ended. */
export function readIfThere(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
