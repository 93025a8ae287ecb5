// Inode flags as chattr(1) sets them and FS_IOC_GETFLAGS numbers them (linux/fs.h).

import type { Place, TargetCalls } from './target-calls.ts';

const IMMUTABLE = 0x10;
const APPEND = 0x20;
const COMPRESSED = 0x04;
const NOT_COMPRESSED = 0x400;
const NO_COPY_ON_WRITE = 0x80_0000;

/** Each with the letter that chattr(1) has for it. Others say how a file is stored, not how to. */
const LETTERS = new Map<number, string>([
  [0x01, 's'],
  [0x02, 'u'],
  [COMPRESSED, 'c'],
  [0x08, 'S'],
  [IMMUTABLE, 'i'],
  [APPEND, 'a'],
  [0x40, 'd'],
  [0x80, 'A'],
  [NOT_COMPRESSED, 'm'],
  [0x4000, 'j'],
  [0x8000, 't'],
  [0x1_0000, 'D'],
  [0x2_0000, 'T'],
  [NO_COPY_ON_WRITE, 'C'],
  [0x200_0000, 'x'],
  [0x2000_0000, 'P'],
  [0x4000_0000, 'F'],
]);

/** The flags that can be set, all of them on no file system. */
export const SETTABLE_FLAGS = [...LETTERS.keys()].reduce((all, flag) => all | flag, 0);
/** Nothing can be changed while they are set. */
export const PROTECTING_FLAGS = IMMUTABLE | APPEND;
/** They tell how bytes are stored that are yet to be written; btrfs takes them on empty files. */
const EARLY_FLAGS = COMPRESSED | NOT_COMPRESSED | NO_COPY_ON_WRITE;

/** `ia (0x30)`, `none` */
export function flagsText(flags: number): string {
  if (flags === 0) return 'none';
  let letters = '';
  for (const [flag, letter] of LETTERS) if ((flags & flag) !== 0) letters += letter;
  return `${letters} (0x${(flags >>> 0).toString(16)})`;
}

/** Sets what must be set before the first byte is written. Whether it worked is seen at the end. */
export function setEarlyFlags(calls: TargetCalls, place: Place, wanted: number): void {
  const early = wanted & EARLY_FLAGS;
  if (early === 0) return;
  const present = calls.getFlags(place);
  if (present >= 0) calls.setFlags(place, present | early);
}

/** Takes away what keeps `place` from being changed. Returns whether there was something. */
export function clearProtection(calls: TargetCalls, place: Place): boolean {
  const flags = calls.getFlags(place);
  if (flags < 0 || (flags & PROTECTING_FLAGS) === 0) return false;
  return calls.setFlags(place, flags & ~PROTECTING_FLAGS) === 0;
}
