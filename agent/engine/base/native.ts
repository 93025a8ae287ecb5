// The only file that imports koffi. It lends functions of the running process (libc, and the
// OpenSSL that official Node binaries carry and export) to the fast paths in hash/, cipher/ and
// snapshot/. Each of those has a slow path in plain JavaScript and asks here whether the fast one
// can be had.
//
// Pointers are declared as uintptr_t and passed as numbers (address + offset): no marshalling, no
// views, 0.05 to 0.1 us a call. See arena.ts for what keeps such addresses valid. Whatever of koffi
// may throw runs within whileBinding; a defined function does not throw when it is given as many
// numbers and strings as its prototype says.

import { createRequire } from 'node:module';

import type * as koffiTypes from 'koffi';

import { whileBinding } from './binding-lock.ts';

type Koffi = typeof koffiTypes;
export type NativeFunction = (...args: (number | string)[]) => number;

interface NativeLibrary {
  readonly koffi: Koffi;
  readonly process: ReturnType<Koffi['load']>;
}

let library: NativeLibrary | null | undefined;

/** Setting STEVEDORE_NATIVE=0 turns every fast path off; tests compare the two. */
function open(): NativeLibrary | null {
  if (library !== undefined) return library;
  library = null;
  if (process.env.STEVEDORE_NATIVE === '0' || process.platform !== 'linux') return library;
  try {
    library = whileBinding(() => {
      const koffi = createRequire(import.meta.url)('koffi') as Koffi;
      return { koffi, process: koffi.load(null) };
    });
  } catch {
    // No prebuilt binary for this machine: the slow paths serve, and `repo info` says so.
  }
  return library;
}

/** Whether native calls can be made at all in this process. */
export function isNativeAvailable(): boolean {
  return open() !== null;
}

/**
 * A function of the running process by its C prototype, pointers as uintptr_t.
 * @returns undefined where native calls are not to be had or the symbol is not exported
 */
export function nativeFunction(prototype: string): NativeFunction | undefined {
  const opened = open();
  if (opened === null) return undefined;
  try {
    return whileBinding(() => opened.process.func(prototype));
  } catch {
    return undefined;
  }
}

/** Address of bytes[0], or 0 where native calls are not to be had. */
export function addressOf(bytes: Uint8Array): number {
  const opened = open();
  if (opened === null || bytes.length === 0) return 0;
  return Number(opened.koffi.address(bytes));
}

/** The value of errno after the last native call of this thread that failed. */
export function nativeErrno(): number {
  return open()?.koffi.errno() ?? 0;
}
