// What one worker thread holds for one restore: its way to the target, the section at hand, and the
// directories and files that it has open.

import { allocateArena, type Arena } from '#engine/base/arena.ts';
import { EngineError } from '#engine/base/errors.ts';
import type { ContentHash } from '#engine/hash/content-hash.ts';
import { TargetDirectories } from '#engine/snapshot/target/target-directories.ts';
import { openTargetFileSystem } from '#engine/snapshot/target/open-target-file-system.ts';
import type { TargetFileSystem } from '#engine/snapshot/target/target-file-system.ts';
import type { TargetDirectory, TargetFile } from '#engine/snapshot/target/target-handle.ts';
import type { ContentOpener } from '#engine/workers/content-opener.ts';
import { attachSection, type SectionView, type SharedSection } from './plan-tables.ts';
import type { RestoreRun } from './restore-tasks.ts';
import { directoryNames } from './section-rows.ts';

/** What it takes to read sealed contents. */
export interface ContentParts {
  readonly opener: ContentOpener;
  readonly hash: ContentHash;
}

interface OpenRoot {
  readonly root: TargetDirectory;
  readonly directories: TargetDirectories;
}

/** Files of several chunks that a thread keeps open. */
const OPEN_FILES_MAX = 32;
const FIRST_SCRATCH_BYTES = 1 << 20;

export class RestoreThread implements Disposable {
  readonly run: RestoreRun;
  readonly content: ContentParts | undefined;
  readonly fileSystem: TargetFileSystem;
  /** By number; opened when they are first needed, since a dry run may have none. */
  readonly #targets = new Map<number, OpenRoot>();
  /** Kept open: once all have their attributes, nobody may be allowed to enter them. */
  readonly #mounts: TargetDirectory[] = [];
  readonly #stop: Int32Array;
  readonly #files = new Map<number, TargetFile>();
  #scratch: Arena = allocateArena(FIRST_SCRATCH_BYTES);
  #view: SectionView | undefined;
  #names: Uint8Array[] = [];
  #namesRow = -1;
  #key = new Uint8Array(0);

  constructor(run: RestoreRun, content: ContentParts | undefined) {
    this.run = run;
    this.content = content;
    this.#stop = new Int32Array(run.stop);
    this.fileSystem = openTargetFileSystem({ native: run.isNativeAllowed });
  }

  get isStopped(): boolean {
    return Atomics.load(this.#stop, 0) === 1;
  }

  /** @throws ABORTED */
  throwIfStopped(): void {
    if (this.isStopped) throw new EngineError('ABORTED', 'the restore was cancelled');
  }

  /** Takes over the tables of a section. Files of the one before have been finished. */
  enter(section: SharedSection): void {
    this.#closeFiles();
    this.#view = attachSection(section);
    this.#namesRow = -1;
  }

  get view(): SectionView {
    if (this.#view) return this.#view;
    throw new EngineError('INTERNAL', 'a restore task came before its section');
  }

  /** The open directory of a row; good until the next call. */
  directoryAt(row: number): TargetDirectory {
    if (this.#namesRow !== row) {
      this.#names = directoryNames(this.view, row);
      this.#namesRow = row;
    }
    return this.#targetAt(this.view.directories.target[row]).directories.at(this.#names);
  }

  /** Remembers that another file system is mounted on a directory. */
  noteMount(parent: TargetDirectory, name: Uint8Array): void {
    this.#mounts.push(this.fileSystem.openDirectory(parent, name));
  }

  /** A directory of each file system that is restored to. */
  fileSystems(): TargetDirectory[] {
    const roots = Array.from(this.run.targets.keys(), target => this.#targetAt(target).root);
    return [...roots, ...this.#mounts];
  }

  #targetAt(target: number): OpenRoot {
    const known = this.#targets.get(target);
    if (known) return known;
    const root = this.fileSystem.openRoot(this.run.targets[target]);
    const opened = { root, directories: new TargetDirectories(this.fileSystem, root) };
    this.#targets.set(target, opened);
    return opened;
  }

  /** The key of a chunk's content; good until the next call. */
  keyOf(chunk: number): Uint8Array {
    const { keys, keyBytes } = this.view;
    if (this.#key.length !== keyBytes) this.#key = new Uint8Array(keyBytes);
    const start = chunk * keyBytes;
    for (let index = 0; index < keyBytes; index++) this.#key[index] = keys[start + index];
    return this.#key;
  }

  /** Memory of at least `bytes`, for one use at a time. */
  scratch(bytes: number): Arena {
    if (this.#scratch.bytes.length < bytes) this.#scratch = allocateArena(bytes);
    return this.#scratch;
  }

  /** The file of a row, kept open for the next chunk of it. */
  openFile(row: number, open: () => TargetFile): TargetFile {
    const known = this.#files.get(row);
    if (known) return known;
    if (this.#files.size >= OPEN_FILES_MAX) {
      const [oldest] = this.#files.keys();
      this.closeFile(oldest);
    }
    const file = open();
    this.#files.set(row, file);
    return file;
  }

  closeFile(row: number): void {
    this.#files.get(row)?.[Symbol.dispose]();
    this.#files.delete(row);
  }

  [Symbol.dispose](): void {
    this.#closeFiles();
    for (const directory of this.#mounts.splice(0)) directory[Symbol.dispose]();
    for (const { root, directories } of this.#targets.values()) {
      directories[Symbol.dispose]();
      root[Symbol.dispose]();
    }
    this.#targets.clear();
  }

  #closeFiles(): void {
    for (const row of [...this.#files.keys()]) this.closeFile(row);
  }
}
