// Who restores: what a new file belongs to, and which permission bits it does not get.

import { readFileSync } from 'node:fs';

export interface Restorer {
  readonly uid: number;
  readonly gid: number;
  readonly umask: number;
}

/** A guess that costs a call for each file and is never wrong. */
const UNKNOWN_UMASK = 0o777;

export function findRestorer(): Restorer {
  return {
    uid: process.geteuid?.() ?? -1,
    gid: process.getegid?.() ?? -1,
    umask: readUmask(),
  };
}

/** process.umask() sets the mask to zero for a moment, in which another thread may make a file. */
function readUmask(): number {
  try {
    const text = /^Umask:\s*([0-7]+)$/m.exec(readFileSync('/proc/self/status', 'latin1'))?.[1];
    return text === undefined ? UNKNOWN_UMASK : parseInt(text, 8);
  } catch {
    // No /proc: the mask does not matter then, because every mode is set.
    return UNKNOWN_UMASK;
  }
}
