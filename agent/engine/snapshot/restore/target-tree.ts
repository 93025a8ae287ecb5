// The target of a restore, as its thread sees it. Everything is reached through handles of its
// directories (held-directories.ts), so one that somebody replaces by a symlink meanwhile leads
// nowhere. No link is ever followed, files come into being by O_EXCL, and new directories belong to
// the restorer alone (0700) until their attributes are set, after everything in them.

import fs from 'node:fs';
import { EngineError } from '#engine/base/errors.ts';
import { HeldDirectories } from './held-directories.ts';
import { unsafeNameReason } from './entry-name.ts';
import { applyToHandle, applyToLink, differ, type Attributes } from './attributes.ts';
import type { Overwrite, SmallFile, StepOutcome, TargetTasks } from './target-tasks.ts';
import { syncFileSystem } from './system-calls.ts';
import { entryFailure, targetError } from './target-errors.ts';

const { O_CREAT, O_EXCL, O_NOFOLLOW, O_WRONLY } = fs.constants;
const CREATE_FILE = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW;
const DONE: StepOutcome = Object.freeze({ differences: [] });

type InputOf<Task extends keyof TargetTasks> = TargetTasks[Task]['input'];

export class TargetTree {
  readonly #directories = new HeldDirectories();
  #overwrite: Overwrite = 'never';

  /** @throws TARGET_NOT_EMPTY, TARGET_NOT_WRITABLE, TARGET_FULL */
  open({ directoryId, path, overwrite, mustBeEmpty }: InputOf<'open'>): null {
    this.#overwrite = overwrite;
    try {
      fs.mkdirSync(path, { recursive: true, mode: 0o700 });
      this.#directories.holdRoot(directoryId, path);
      if (mustBeEmpty && !isEmpty(path)) throw notEmpty(path);
      fs.accessSync(path, fs.constants.W_OK | fs.constants.X_OK);
    } catch (error) {
      throw targetError(error, 'opening the target', path);
    }
    return null;
  }

  enter({ directoryId, parentId, name }: InputOf<'enter'>): StepOutcome {
    try {
      this.#makeDirectory(this.#pathOf(parentId, name));
      this.#directories.hold(directoryId, parentId, name);
      return DONE;
    } catch (error) {
      return entryFailure(error, 'making the directory', name);
    }
  }

  leave({ directoryId, name, attributes, writeBack }: InputOf<'leave'>): StepOutcome {
    try {
      const fd = this.#directories.handleOf(directoryId);
      const differences = attributes ? applyToHandle(fd, attributes) : [];
      // Late write errors, of network file systems say, show up here and not after the restore.
      if (writeBack) syncFileSystem(fd);
      return { differences };
    } catch (error) {
      return entryFailure(error, 'finishing the directory', name);
    } finally {
      this.#directories.release(directoryId);
    }
  }

  link({ directoryId, name, target, attributes }: InputOf<'link'>): StepOutcome {
    try {
      const path = this.#pathOf(directoryId, name);
      this.#makeWay(path);
      fs.symlinkSync(Buffer.from(target), path);
      const found = fs.readlinkSync(path, { encoding: 'buffer' });
      const isSame = Buffer.compare(found, target) === 0;
      const differences = isSame ? [] : differ('linkTarget', text(target), text(found));
      return { differences: [...differences, ...applyToLink(path, attributes)] };
    } catch (error) {
      return entryFailure(error, 'making the symlink', name);
    }
  }

  small({ bytes, files }: InputOf<'small'>): StepOutcome[] {
    return files.map(file => this.#writeSmall(file, bytes));
  }

  create({ directoryId, name, bytes }: InputOf<'create'>): StepOutcome & { fd: number } {
    let fd = -1;
    try {
      fd = this.#createFile(directoryId, name);
      fs.ftruncateSync(fd, bytes);
      return { ...DONE, fd };
    } catch (error) {
      if (fd !== -1) fs.closeSync(fd);
      return { ...entryFailure(error, 'making the file', name), fd: -1 };
    }
  }

  write({ fd, name, offset, bytes }: InputOf<'write'>): null {
    try {
      if (!isZero(bytes)) writeAll(fd, bytes, offset);
    } catch (error) {
      throw targetError(error, 'writing the file', name);
    }
    return null;
  }

  finish({ fd, name, bytes, attributes }: InputOf<'finish'>): StepOutcome {
    try {
      return attributes ? { differences: settle(fd, bytes, attributes) } : DONE;
    } catch (error) {
      throw targetError(error, 'finishing the file', name);
    } finally {
      fs.closeSync(fd);
    }
  }

  #writeSmall(file: SmallFile, bytes: Uint8Array): StepOutcome {
    let fd = -1;
    try {
      fd = this.#createFile(file.directoryId, file.name);
      writeAll(fd, bytes.subarray(file.start, file.start + file.length), 0);
      return { differences: settle(fd, file.length, file.attributes) };
    } catch (error) {
      return entryFailure(error, 'writing the file', file.name);
    } finally {
      if (fd !== -1) fs.closeSync(fd);
    }
  }

  #createFile(directoryId: number, name: string): number {
    const path = this.#pathOf(directoryId, name);
    this.#makeWay(path);
    return fs.openSync(path, CREATE_FILE, 0o600);
  }

  /** With 'always', a directory that is there is kept and everything else gives way. */
  #makeDirectory(path: string): void {
    if (this.#overwrite === 'always') {
      const found = fs.lstatSync(path, { throwIfNoEntry: false });
      if (found?.isDirectory()) return;
      if (found) fs.unlinkSync(path);
    }
    fs.mkdirSync(path, 0o700);
  }

  /** Never removes a directory: unlink refuses to. */
  #makeWay(path: string): void {
    if (this.#overwrite === 'never') return;
    if (fs.lstatSync(path, { throwIfNoEntry: false })) fs.unlinkSync(path);
  }

  /** The caller has left unsafe names out already; here is where one would do harm. */
  #pathOf(directoryId: number, name: string): string {
    const reason = unsafeNameReason(name);
    if (reason !== undefined) {
      const text = `restoring ${JSON.stringify(name)} was refused: ${reason}`;
      throw new EngineError('TARGET_NAME_UNSAFE', text);
    }
    return this.#directories.pathOf(directoryId, name);
  }
}

function isEmpty(path: string): boolean {
  using directory = fs.opendirSync(path);
  return directory.readSync() === null;
}

function notEmpty(path: string): EngineError {
  const text = `restoring to ${path} was refused: it is not empty`;
  return new EngineError(
    'TARGET_NOT_EMPTY',
    `${text}; name an empty directory or allow overwriting`,
  );
}

function settle(fd: number, bytes: number, attributes: Attributes): StepOutcome['differences'] {
  const found = fs.fstatSync(fd).size;
  return [...differ('size', String(bytes), String(found)), ...applyToHandle(fd, attributes)];
}

function writeAll(fd: number, bytes: Uint8Array, offset: number): void {
  let written = 0;
  while (written < bytes.length) {
    written += fs.writeSync(fd, bytes, written, bytes.length - written, offset + written);
  }
}

const ZEROS = Buffer.alloc(64 << 10);

function isZero(bytes: Uint8Array): boolean {
  for (let start = 0; start < bytes.length; start += ZEROS.length) {
    const end = Math.min(bytes.length, start + ZEROS.length);
    if (ZEROS.compare(bytes, start, end, 0, end - start) !== 0) return false;
  }
  return true;
}

function text(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString();
}
