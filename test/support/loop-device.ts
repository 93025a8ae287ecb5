// A block device whose bytes are those of a file: a loop device, which needs root. The kernel
// detaches it when nobody has it open any more (LO_FLAGS_AUTOCLEAR), and the test has it open: so
// none is left, however the test ends.

import { spawnSync } from 'node:child_process';
import { closeSync, openSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import type { Test } from 'tap';

const PROGRAM_MS_MAX = 30_000;

export interface LoopDevice {
  readonly path: string;
  /** The file. What was written to the device is there when that was synced. */
  readonly image: string;
}

export interface LoopDeviceOptions {
  readonly image: string;
  /** What the device has at the beginning; bytes behind it are holes of the file. */
  readonly content?: Uint8Array;
  readonly bytes?: number;
  readonly sectorBytes?: 512 | 4096;
}

let reason: string | undefined;

/** Why there can be none; undefined where there can. Nothing is left of trying. */
export function lacksLoopDevices(directory: string): string | undefined {
  if (reason !== undefined) return reason === '' ? undefined : reason;
  try {
    const image = `${directory}/probe`;
    writeFileSync(image, '');
    truncateSync(image, 1 << 20);
    closeSync(attach(image, 512).descriptor);
    reason = '';
  } catch (error) {
    reason = `no loop devices: ${error instanceof Error ? error.message : String(error)}`;
  }
  return reason === '' ? undefined : reason;
}

/** There until the test ends. */
export function loopDevice(
  t: Test,
  { image, content = new Uint8Array(0), bytes, sectorBytes = 512 }: LoopDeviceOptions,
): LoopDevice {
  writeFileSync(image, content);
  truncateSync(image, bytes ?? content.length);
  const { path, descriptor } = attach(image, sectorBytes);
  t.teardown(() => closeSync(descriptor));
  return { path, image };
}

export function imageBytes({ image }: LoopDevice): Buffer {
  return readFileSync(image);
}

/** How many bytes of the file have blocks. */
export function allocatedBytes({ image }: LoopDevice): number {
  return statSync(image).blocks * 512;
}

function attach(image: string, sectorBytes: number): { path: string; descriptor: number } {
  if (process.getuid?.() !== 0) throw new Error('only root can make them');
  const words = ['--find', '--show', `--sector-size=${sectorBytes}`, image];
  const path = run('losetup', words).trim();
  const descriptor = openSync(path, 'r');
  // Detaching a device that is open sets the flag (loop(4), LOOP_CLR_FD).
  run('losetup', ['--detach', path]);
  return { path, descriptor };
}

function run(program: string, words: readonly string[]): string {
  const options = { encoding: 'utf8', timeout: PROGRAM_MS_MAX } as const;
  const { status, stdout, stderr, error } = spawnSync(program, words, options);
  if (status === 0) return stdout;
  throw new Error(`${basename(program)}: ${error ? error.message : stderr.trim()}`);
}
