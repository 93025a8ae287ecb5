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
import { execFileSync, spawnSync } from 'node:child_process';

import { allocateArena } from '#engine/base/arena.ts';
import { openNativeCalls } from '#engine/snapshot/target/native-calls.ts';
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
import { becomeNobody } from '#test/support/nobody.ts';

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

/** Tests of what only root may do say so where somebody else runs them. */
export const rootOnly: { skip?: string } =
  process.geteuid?.() === 0 ? {} : { skip: 'only root may do that' };

/** Root becomes nobody for a while; others stay who they are. */
export function asNobody<T>(work: () => T): T {
  using _nobody = becomeNobody();
  return work();
}

/** ACL in the form of linux/posix_acl_xattr.h: tag, permissions and id of each entry. */
export function aclOf(...entries: [tag: number, permissions: number, id?: number][]): Uint8Array {
  const bytes = Buffer.alloc(4 + entries.length * 8);
  bytes.writeUInt32LE(2);
  for (const [index, [tag, permissions, id = 0xffff_ffff]] of entries.entries()) {
    bytes.writeUInt16LE(tag, 4 + index * 8);
    bytes.writeUInt16LE(permissions, 6 + index * 8);
    bytes.writeUInt32LE(id, 8 + index * 8);
  }
  return new Uint8Array(bytes);
}

/** Owner rw, user 1234 r, group r, mask r, others none: with a mode of 0640. */
export const SAMPLE_ACL = aclOf([1, 6], [2, 4, 1234], [4, 4], [0x10, 4], [0x20, 0]);
/** cap_net_bind_service=ep in the form of linux/capability.h, second version. */
export const SAMPLE_CAPABILITY = new Uint8Array(
  Buffer.from('0100000200040000000000000000000000000000', 'hex'),
);

/** Attributes as getfattr(1) sees them: `user.a=0x61`. */
export function xattrsOf(path: string): string[] {
  const text = execFileSync('getfattr', [
    '-h',
    '-m',
    '-',
    '-d',
    '-e',
    'hex',
    '--absolute-names',
    path,
  ]);
  return text
    .toString()
    .split('\n')
    .filter(line => line.includes('='));
}

/** Tests of what node:fs cannot do. */
export const nativeOnly: { skip?: string } = openNativeCalls()
  ? {}
  : { skip: 'native calls are not to be had here' };
export const nativeRootOnly = { ...nativeOnly, ...rootOnly };

/** Of Debian's package attr; tests that ask somebody else than us need them. */
const lacking = ['getfattr', 'setfattr'].find(tool => spawnSync(tool, ['--version']).error);
/** Why tests with `xattrsOf` are skipped; false where they are not. */
export const lacksAttributeTools = lacking !== undefined && `there is no ${lacking} here`;
const toolsOnly = lacksAttributeTools ? { skip: lacksAttributeTools } : {};
export const attributeToolsOnly = { ...nativeOnly, ...toolsOnly };
export const attributeToolsRootOnly = { ...nativeRootOnly, ...toolsOnly };
