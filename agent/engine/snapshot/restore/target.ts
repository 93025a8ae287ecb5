// The target of a restore, as the main thread sees it: messages to the thread that owns it, and
// which directories are still needed. A directory is let go, and gets its attributes, when
// everything in it has been written and everything below it has been let go.

import { unsafeNameReason } from './entry-name.ts';
import type { Attributes } from './attributes.ts';
import type { RestoreReport } from './restore-report.ts';
import type { Overwrite, SmallFile, StepOutcome, TargetTasks } from './target-tasks.ts';
import { WorkerPool } from '#engine/workers/pool.ts';

const ENTRY = new URL('./target-thread.ts', import.meta.url);

export interface TargetDirectory {
  readonly id: number;
  readonly path: string;
  readonly parent: TargetDirectory | undefined;
  /** Undefined where the directory is not the snapshot's: that around a single file. */
  readonly attributes: Attributes | undefined;
  /** Files, directories and walks that still need it. */
  users: number;
}

export interface TargetOptions {
  readonly path: string;
  readonly overwrite: Overwrite;
  readonly mustBeEmpty: boolean;
  readonly attributes?: Attributes;
}

export class Target implements AsyncDisposable {
  readonly #report: RestoreReport;
  readonly #thread = new WorkerPool<TargetTasks>({
    entry: ENTRY,
    size: 1,
    seed: () => ({ data: null }),
  });
  #nextId = 0;

  constructor(report: RestoreReport) {
    this.#report = report;
  }

  /** @throws TARGET_NOT_EMPTY, TARGET_NOT_WRITABLE, TARGET_FULL */
  async open({ attributes, ...where }: TargetOptions): Promise<TargetDirectory> {
    const directory = this.#newDirectory('', undefined, attributes);
    await this.#thread.run('open', { directoryId: directory.id, ...where });
    return directory;
  }

  /** Makes a directory, which has one user then: the caller. Undefined when it cannot be had. */
  async enter(
    parent: TargetDirectory,
    { name, path, attributes }: { name: string; path: string; attributes: Attributes },
  ): Promise<TargetDirectory | undefined> {
    const directory = this.#newDirectory(path, parent, attributes);
    const input = { directoryId: directory.id, parentId: parent.id, name };
    if (!this.#report.outcome(path, await this.#thread.run('enter', input))) return undefined;
    parent.users++;
    return directory;
  }

  /** Ends one use of a directory. */
  async release(directory: TargetDirectory): Promise<void> {
    for (let at: TargetDirectory | undefined = directory; at; at = at.parent) {
      if (--at.users > 0) return;
      const writeBack = at.parent === undefined;
      const { id, path, attributes } = at;
      const input = { directoryId: id, name: path, attributes, writeBack };
      this.#report.outcome(at.path, await this.#thread.run('leave', input));
      if (at.attributes) this.#report.directories++;
    }
  }

  async link(
    directory: TargetDirectory,
    path: string,
    link: { name: string; target: Uint8Array; attributes: Attributes },
  ): Promise<void> {
    const input = { directoryId: directory.id, ...link };
    this.#report.outcome(path, await this.#thread.run('link', input));
  }

  /** Writes whole files; `bytes` is given away. */
  async small(bytes: Uint8Array<ArrayBuffer>, files: SmallFile[]): Promise<StepOutcome[]> {
    return await this.#thread.run('small', { bytes, files }, { transfer: [bytes.buffer] });
  }

  /** Makes a file of zeros; undefined when it cannot be had. */
  async create(file: {
    directory: TargetDirectory;
    name: string;
    path: string;
    bytes: number;
  }): Promise<number | undefined> {
    const { directory, name, path, bytes } = file;
    const input = { directoryId: directory.id, name, bytes };
    const outcome = await this.#thread.run('create', input);
    return this.#report.outcome(path, outcome) ? outcome.fd : undefined;
  }

  /** `bytes` is given away when nothing else lies in its memory. */
  async write(fd: number, name: string, offset: number, bytes: Uint8Array): Promise<void> {
    const own = ownMemory(bytes);
    const input = { fd, name, offset, bytes: own };
    await this.#thread.run('write', input, { transfer: [own.buffer] });
  }

  async finish(
    path: string,
    file: { fd: number; name: string; bytes: number; attributes?: Attributes },
  ): Promise<void> {
    this.#report.outcome(path, await this.#thread.run('finish', file));
  }

  /** Whether `name` may be used; says so in the report when not. */
  isSafe(path: string, name: string): boolean {
    const reason = unsafeNameReason(name);
    if (reason === undefined) return true;
    const found = `TARGET_NAME_UNSAFE: ${reason}`;
    this.#report.differ(path, [{ attribute: 'name', expected: JSON.stringify(name), found }]);
    return false;
  }

  /** Lets everything go as it is. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#thread.close();
  }

  #newDirectory(
    path: string,
    parent: TargetDirectory | undefined,
    attributes: Attributes | undefined,
  ): TargetDirectory {
    return { id: this.#nextId++, path, parent, attributes, users: 1 };
  }
}

/** The same bytes in an ArrayBuffer that holds nothing else. */
function ownMemory(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const { buffer } = bytes;
  const isOwn = buffer instanceof ArrayBuffer && buffer.byteLength === bytes.length;
  return isOwn ? new Uint8Array(buffer) : new Uint8Array(bytes);
}
