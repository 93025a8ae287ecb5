// The system calls that a restore is made of, each as thin as can be: numbers and bytes in, the
// result out, an errno below zero when it failed. What they are good for is decided above, in
// target-file-system.ts and settle-*.ts. Implementations: native-calls.ts (koffi) and
// portable-calls.ts (node:fs), with equal results for what both can do; what node:fs cannot do
// fails there with ENOSYS. An instance belongs to one thread; descriptors belong to the process.
//
// Names are single components that target-name.ts has seen: no NUL, no slash.

import { constants } from 'node:fs';

import type { Arena } from '#engine/base/arena.ts';

import type { TargetStat } from './target-stat.ts';

/** Something open that attributes are set on. */
export interface Place {
  readonly descriptor: number;
  /** Opened with O_PATH: a link, a pipe, a device. Reached through /proc/self/fd where need be. */
  readonly isPathOnly: boolean;
}

export interface FileRange {
  /** Where in the arena. */
  readonly offset: number;
  readonly length: number;
  /** Where in the file. */
  readonly position: number;
}

export interface CopyRange {
  readonly fromPosition: number;
  readonly toPosition: number;
  readonly length: number;
}

export interface DeviceNumber {
  readonly major: number;
  readonly minor: number;
}

export interface TargetCalls {
  readonly kind: 'native' | 'portable';
  /** Attributes that cannot be read at all, so that nobody knows whether the target has some. */
  readonly unseen: readonly string[];

  /** Any path, through links as well. Returns a descriptor, as all that open do. */
  openPath(path: Uint8Array, flags: number): number;
  openAt(directory: number, name: Uint8Array, flags: number, mode: number): number;
  /**
   * openat2(2): several components, none of them a link and none outside `directory`.
   * ENOSYS or EPERM where it is not to be had.
   */
  openBeneath(directory: number, path: Uint8Array, flags: number, resolve: number): number;
  close(descriptor: number): number;

  makeDirectoryAt(directory: number, name: Uint8Array, mode: number): number;
  makeLinkAt(linkTarget: Uint8Array, directory: number, name: Uint8Array): number;
  makeNodeAt(directory: number, name: Uint8Array, mode: number, device: DeviceNumber): number;
  linkAt(from: number, fromName: Uint8Array, to: number, toName: Uint8Array): number;
  /** `isDirectory` asks for rmdir(2). */
  unlinkAt(directory: number, name: Uint8Array, isDirectory: boolean): number;
  /** Never follows a link. */
  statAt(directory: number, name: Uint8Array, stat: TargetStat): number;
  statOpen(descriptor: number, stat: TargetStat): number;
  /** A copy of what the link says, or an errno below zero. */
  readLinkAt(directory: number, name: Uint8Array): Uint8Array | number;

  /** Writes at most `length` bytes and returns how many. */
  write(descriptor: number, arena: Arena, range: FileRange): number;
  read(descriptor: number, arena: Arena, range: FileRange): number;
  truncate(descriptor: number, bytes: number): number;
  /** Makes a hole and leaves the size alone. */
  punch(descriptor: number, position: number, length: number): number;
  /** Of a block device: makes it read as zeros, by the device itself or by writing them. */
  zeroOut(descriptor: number, position: number, length: number): number;
  copy(from: number, to: number, range: CopyRange): number;
  /** Where the next data at or behind `position` begins; ENXIO when only a hole is left. */
  seekData(descriptor: number, position: number): number;
  /** Waits until the whole file system is written back. */
  syncAll(descriptor: number): number;

  changeOwner(place: Place, uid: number, gid: number): number;
  changeMode(place: Place, mode: number): number;
  /** Sets the times of last access and of last modification, both to the same. */
  setTimes(place: Place, seconds: number, nanoseconds: number): number;

  /** Fills xattrNames and returns how many bytes of it: names, each with a NUL behind it. */
  listXattrs(place: Place): number;
  /** Fills xattrValue and returns how many bytes of it. */
  getXattr(place: Place, name: string): number;
  setXattr(place: Place, name: string, value: Uint8Array): number;
  removeXattr(place: Place, name: string): number;
  readonly xattrNames: Uint8Array;
  readonly xattrValue: Uint8Array;

  /** Inode flags (FS_IOC_GETFLAGS). */
  getFlags(place: Place): number;
  setFlags(place: Place, flags: number): number;
  getProjectId(place: Place): number;
  setProjectId(place: Place, projectId: number): number;
}

/** Neither in node:fs nor different between the machines that run us (asm-generic/fcntl.h). */
export const O_PATH = 0o10000000;
export const OPEN_DIRECTORY = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;
export const OPEN_NODE = O_PATH | constants.O_NOFOLLOW;

// linux/openat2.h
export const RESOLVE_NO_XDEV = 0x01;
const RESOLVE_NO_MAGICLINKS = 0x02;
const RESOLVE_NO_SYMLINKS = 0x04;
const RESOLVE_BENEATH = 0x08;
export const RESOLVE_INSIDE = RESOLVE_NO_MAGICLINKS | RESOLVE_NO_SYMLINKS | RESOLVE_BENEATH;
