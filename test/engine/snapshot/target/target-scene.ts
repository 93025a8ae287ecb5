// A target in a directory of its own, and what the tests of targets ask of it again and again.

import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  type BigIntStats,
} from 'node:fs';
import { tmpdir } from 'node:os';

import { allocateArena } from '#engine/base/arena.ts';
import { openTargetFileSystem } from '#engine/snapshot/target/open-target-file-system.ts';
import { settleFile } from '#engine/snapshot/target/settle-open.ts';
import type { TargetFileSystem } from '#engine/snapshot/target/target-file-system.ts';
import type { TargetDirectory, TargetFile } from '#engine/snapshot/target/target-handle.ts';
import {
  KEEP_ALL,
  type AttributeDifference,
  type AttributePolicy,
  type WantedAttributes,
} from '#engine/snapshot/target/wanted-attributes.ts';

export const bytesOf = (text: string): Uint8Array => new Uint8Array(Buffer.from(text));

/** What a file of the process's own user has. */
export function wish(changes: Partial<WantedAttributes> = {}): WantedAttributes {
  return {
    uid: process.geteuid?.() ?? 0,
    gid: process.getegid?.() ?? 0,
    mode: 0o644,
    mtimeSeconds: 1_700_000_000,
    mtimeNanoseconds: 123_456_789,
    ...changes,
  };
}

export class TargetScene implements Disposable {
  readonly path: string;
  readonly fileSystem: TargetFileSystem;
  readonly root: TargetDirectory;
  readonly #isOwn: boolean;

  /** In memory where there is such a place, or in a directory that is there. */
  constructor(options: { native?: boolean; path?: string } = {}) {
    const base = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();
    this.#isOwn = options.path === undefined;
    this.path = options.path ?? mkdtempSync(`${base}/stevedore-target-`);
    if (this.#isOwn) mkdirSync(`${this.path}/target`);
    this.fileSystem = openTargetFileSystem(options);
    this.root = this.fileSystem.openRoot(bytesOf(this.#isOwn ? this.inside('') : this.path));
  }

  /** A path in the target. */
  inside(name: string): string {
    return this.#isOwn ? `${this.path}/target/${name}` : `${this.path}/${name}`;
  }

  /** A path beside the target, where nothing may ever appear. */
  outside(name: string): string {
    return `${this.path}/${name}`;
  }

  /** Makes a file of `text`, settles it and returns the differences. */
  file(
    name: string,
    text: string,
    wanted: WantedAttributes = wish(),
    policy: AttributePolicy = KEEP_ALL,
  ): readonly AttributeDifference[] {
    using file = this.fileSystem.createFile(this.root, bytesOf(name), wanted);
    this.write(file, text);
    return settleFile(this.fileSystem, file, wanted, { policy, bytes: Buffer.byteLength(text) });
  }

  write(file: TargetFile, text: string, position = 0): void {
    const arena = allocateArena(Math.max(128, Buffer.byteLength(text)));
    const length = Buffer.from(arena.bytes.buffer).write(text);
    this.fileSystem.write(file, arena, { offset: 0, length, position });
  }

  stat(name: string): BigIntStats {
    return lstatSync(this.inside(name), { bigint: true });
  }

  /** Everything beside the target. */
  outsiders(): string[] {
    return readdirSync(this.path).filter(name => name !== 'target');
  }

  [Symbol.dispose](): void {
    this.root[Symbol.dispose]();
    if (this.#isOwn) rmSync(this.path, { recursive: true, force: true });
  }
}
