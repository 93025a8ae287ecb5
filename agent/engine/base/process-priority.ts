// How this process stands back behind others: nice(2) for the processor, ioprio_set(2) for disks.
// Both hold for the thread that asks and for threads that it starts afterwards, so a program asks
// first of all.

import { constants, setPriority } from 'node:os';
import { EngineError, messageOf } from './errors.ts';
import { nativeErrno, nativeFunction } from './native.ts';

export const IO_CLASSES = Object.freeze({ realtime: 1, 'best-effort': 2, idle: 3 });

export interface IoPriority {
  readonly ioClass: keyof typeof IO_CLASSES;
  /** 0, the first to be served, to 7; the idle class has none. */
  readonly level: number;
}

/** ioprio_set has no function in libc. */
const IOPRIO_SET: Readonly<Partial<Record<NodeJS.Architecture, number>>> = { x64: 251, arm64: 30 };
const IOPRIO_WHO_PROCESS = 1;
const IOPRIO_CLASS_SHIFT = 13;
const THIS_THREAD = 0;

/** @throws USAGE when the system refuses */
export function setNice(nice: number): void {
  try {
    setPriority(nice);
  } catch (error) {
    const isForbidden = nice < 0 ? '; less than 0 needs CAP_SYS_NICE' : '';
    const problem = `cannot run with nice ${nice}: ${messageOf(error)}${isForbidden}`;
    throw new EngineError('USAGE', problem, { cause: error });
  }
}

/** @throws USAGE when the system refuses, or has no such call */
export function setIoPriority({ ioClass, level }: IoPriority): void {
  const syscall = nativeFunction('long syscall(long number, long which, long who, long value)');
  const number = IOPRIO_SET[process.arch];
  const value = (IO_CLASSES[ioClass] << IOPRIO_CLASS_SHIFT) | (ioClass === 'idle' ? 0 : level);
  if (syscall === undefined || number === undefined) {
    throw new EngineError('USAGE', 'cannot set a priority for disks here: no native calls');
  }
  if (syscall(number, IOPRIO_WHO_PROCESS, THIS_THREAD, value) === 0) return;
  const isForbidden = nativeErrno() === constants.errno.EPERM;
  throw new EngineError(
    'USAGE',
    `cannot run with ionice ${ioClass}: ` +
      (isForbidden ? 'that needs CAP_SYS_ADMIN or CAP_SYS_NICE' : `errno ${nativeErrno()}`),
  );
}
