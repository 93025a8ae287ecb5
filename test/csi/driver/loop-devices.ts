// The block devices that files of the store are made into. The kernel detaches each of them when
// nobody has it open any more (LO_FLAGS_AUTOCLEAR), and we have it open as long as it is published:
// however a test ends, none is left.

import { execFile } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { promisify } from 'node:util';

const run = promisify(execFile);
const PROGRAM_MS_MAX = 30_000;

interface OpenDevice {
  readonly device: string;
  readonly descriptor: number;
  readonly users: Set<string>;
}

export class LoopDevices {
  readonly #byFile = new Map<string, OpenDevice>();

  /** Path of the device of `file`, which `user` holds until it releases it. */
  async hold(file: string, user: string): Promise<string> {
    const open = this.#byFile.get(file) ?? (await attach(file));
    open.users.add(user);
    this.#byFile.set(file, open);
    return open.device;
  }

  /** Harmless where it holds none. */
  release(user: string): void {
    for (const [file, { users, descriptor }] of this.#byFile) {
      if (!users.delete(user) || users.size > 0) continue;
      closeSync(descriptor);
      this.#byFile.delete(file);
    }
  }

  /** What has been written to the device of this file, if there is one, is in the file. */
  async flush(file: string): Promise<void> {
    const open = this.#byFile.get(file);
    if (open !== undefined) await run('blockdev', ['--flushbufs', open.device], LIMIT);
  }
}

const LIMIT = Object.freeze({ timeout: PROGRAM_MS_MAX });

async function attach(file: string): Promise<OpenDevice> {
  const { stdout } = await run('losetup', ['--find', '--show', file], LIMIT);
  const device = stdout.trim();
  const descriptor = openSync(device, 'r');
  // Only now: losetup itself closes the device that it has made. Detaching one that is open sets
  // the flag (loop(4), LOOP_CLR_FD).
  await run('losetup', ['--detach', device], LIMIT);
  return { device, descriptor, users: new Set() };
}
