// What a running program has taken of the machine so far (proc_pid_stat(5), proc_pid_status(5)).

import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

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
  // Behind the name, which may hold blanks and parentheses: state is field 3, utime 14, stime 15.
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? [];
  const ticks = Number(fields[11]) + Number(fields[12]);
  return { residentMib, cpuSeconds: ticks / ticksPerSecond() };
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

function ticksPerSecond(): number {
  return Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));
}
