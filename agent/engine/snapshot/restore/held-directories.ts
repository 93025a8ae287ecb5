// The directories of a target that a restore still needs, by number. Each is reached through an
// open handle, so that whatever happens to its name meanwhile leads nowhere else. Handles are few:
// those not used for longest are closed, and opened again from the target downwards, one component
// after another and never through a link; a directory that is not the one it was is refused.

import fs from 'node:fs';
import { join } from 'node:path';
import { EngineError } from '#engine/base/errors.ts';

const { O_DIRECTORY, O_NOFOLLOW, O_RDONLY } = fs.constants;
const OPEN_DIRECTORY = O_RDONLY | O_DIRECTORY | O_NOFOLLOW;
/** Half of what the strictest systems give to a process. */
const OPEN_MAX = 512;

interface HeldDirectory {
  readonly id: number;
  /** Undefined for the target itself. */
  readonly parent: HeldDirectory | undefined;
  readonly name: string;
  readonly device: bigint;
  readonly inode: bigint;
  /** -1 while closed. */
  fd: number;
}

export class HeldDirectories {
  readonly #directories = new Map<number, HeldDirectory>();
  /** Those with an open handle, but not the target; what was used last stands last. */
  readonly #open = new Set<HeldDirectory>();
  readonly #hasHandlePaths = fs.existsSync('/proc/self/fd');

  /** Takes the directory that everything is beneath; `path` may lead through links. */
  holdRoot(id: number, path: string): void {
    const fd = fs.openSync(path, O_RDONLY | O_DIRECTORY);
    this.#directories.set(id, { id, parent: undefined, name: path, fd, ...identityOf(fd) });
  }

  /** Takes a directory that exists in one that is held. */
  hold(id: number, parentId: number, name: string): void {
    const fd = fs.openSync(this.pathOf(parentId, name), OPEN_DIRECTORY);
    const held = { id, parent: this.#held(parentId), name, fd, ...identityOf(fd) };
    this.#directories.set(id, held);
    this.#keepOpen(held);
  }

  /** A handle, valid until the next call. */
  handleOf(id: number): number {
    return this.#openHandle(this.#held(id));
  }

  /**
   * A path for `name` in a held directory, valid until the next call. Where there is no /proc it is
   * an ordinary path, which is all that Node can use there.
   */
  pathOf(id: number, name: string): string {
    const held = this.#held(id);
    return this.#pathIn(held, this.#openHandle(held), name);
  }

  release(id: number): void {
    const held = this.#held(id);
    this.#directories.delete(id);
    this.#open.delete(held);
    if (held.fd !== -1) fs.closeSync(held.fd);
  }

  #openHandle(held: HeldDirectory): number {
    const closed: HeldDirectory[] = [];
    for (let at = held; at.fd === -1 && at.parent; at = at.parent) closed.push(at);
    for (const at of closed.toReversed()) {
      // Only the target has no parent, and it is never closed.
      const parent = at.parent ?? at;
      at.fd = reopen(this.#pathIn(parent, parent.fd, at.name), at);
      this.#keepOpen(at);
    }
    if (this.#open.delete(held)) this.#open.add(held);
    return held.fd;
  }

  #keepOpen(held: HeldDirectory): void {
    this.#open.add(held);
    if (this.#open.size <= OPEN_MAX) return;
    const [oldest] = this.#open;
    this.#open.delete(oldest);
    fs.closeSync(oldest.fd);
    oldest.fd = -1;
  }

  #pathIn(held: HeldDirectory, fd: number, name: string): string {
    if (this.#hasHandlePaths) return `/proc/self/fd/${fd}/${name}`;
    let path = name;
    for (let at: HeldDirectory | undefined = held; at; at = at.parent) path = join(at.name, path);
    return path;
  }

  #held(id: number): HeldDirectory {
    const held = this.#directories.get(id);
    if (held) return held;
    throw new EngineError('INTERNAL', `directory ${id} of the target is not held`);
  }
}

function reopen(path: string, { name, device, inode }: HeldDirectory): number {
  const fd = fs.openSync(path, OPEN_DIRECTORY);
  const found = identityOf(fd);
  if (found.device === device && found.inode === inode) return fd;
  fs.closeSync(fd);
  const text = `going back to the directory ${JSON.stringify(name)} was refused`;
  throw new EngineError('TARGET_NAME_UNSAFE', `${text}: it has been replaced by another one`);
}

function identityOf(fd: number): { device: bigint; inode: bigint } {
  const { dev, ino } = fs.fstatSync(fd, { bigint: true });
  return { device: dev, inode: ino };
}
