// Lays out what the image has on top of its base, below a directory: for the Dockerfile, and for
// whoever has no Docker. Two runs of one commit give the same bytes, names, modes and times.

import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, posix } from 'node:path';
import { billOfMaterials } from './bill-of-materials.ts';
import {
  COMMAND_PLACE,
  DOCUMENTS_PLACE,
  IMAGE_COMMANDS,
  IMAGE_PARTS,
  isInImage,
  PACKAGE_PLACE,
} from './image-parts.ts';
import { licenceDocument } from './licences.ts';
import { shippedPackages, type ShippedPackage } from './shipped-packages.ts';

const INSTALL_MS_MAX = 600_000;

export interface ImageLayout {
  /** The repository, with a build in dist/ and its packages. */
  readonly root: string;
  /** Becomes `/`; what lies there stays. */
  readonly target: string;
  /** As Node names it. */
  readonly architecture: string;
  /** Seconds since 1970: the time of every file. */
  readonly epoch: number;
  /** Of the base image. */
  readonly nodeVersion: string;
  /** With what V8 has compiled ahead, which differs from build to build. */
  readonly isCompiled: boolean;
}

export function layOutImage(layout: ImageLayout): void {
  const { root, architecture } = layout;
  const packages = shippedPackages(root, architecture);
  using modules = modulesFor(layout, packages);
  const laid = new LaidTree(layout.target);
  for (const part of IMAGE_PARTS) {
    laid.copy(join(root, part), join(PACKAGE_PLACE, part), path =>
      isInImage(join(part, path), layout),
    );
  }
  for (const { path } of outermost(packages)) {
    laid.copy(join(modules.root, path), join(PACKAGE_PLACE, path), inner =>
      isOfPackages(join(path, inner), packages),
    );
  }
  for (const command of IMAGE_COMMANDS) {
    laid.link(command, posix.relative(dirname(command), COMMAND_PLACE));
  }
  const texts = {
    'sbom.cdx.json': `${JSON.stringify(billOfMaterials(layout), undefined, 2)}\n`,
    'third-party-licences.txt': licenceDocument(packages, modules.root),
  };
  for (const [name, text] of Object.entries(texts)) laid.write(join(DOCUMENTS_PLACE, name), text);
  laid.finish(layout.epoch);
}

/** Of a directory of packages: neither npm's links and lists, nor what does not ship. */
function isOfPackages(path: string, packages: readonly ShippedPackage[]): boolean {
  const at = path.lastIndexOf('node_modules/');
  const [first = '', second = ''] = path.slice(at + 'node_modules/'.length).split('/');
  const hasScope = first.startsWith('@');
  // The scope itself, in which those that ship are looked at one by one.
  if (path.endsWith('node_modules') || (hasScope && second === '')) return true;
  const name = hasScope ? `${first}/${second}` : first;
  const home = path.slice(0, at) + `node_modules/${name}`;
  return packages.some(shipped => shipped.path === home);
}

function outermost(packages: readonly ShippedPackage[]): ShippedPackage[] {
  return packages.filter(({ path }) => path.lastIndexOf('node_modules/') === 0);
}

interface Modules extends Disposable {
  /** Where `node_modules/` is. */
  readonly root: string;
}

/**
 * Those of the repository, which are for the machine that builds; of another architecture npm lays
 * them out in a place of their own. Nothing is run of them, so nothing has to be emulated.
 */
function modulesFor(layout: ImageLayout, packages: readonly ShippedPackage[]): Modules {
  const { root, architecture } = layout;
  if (packages.every(({ path }) => fs.existsSync(join(root, path)))) {
    return { root, [Symbol.dispose]: () => undefined };
  }
  const place = fs.mkdtempSync(join(tmpdir(), 'stevedore-modules-'));
  const remove = () => fs.rmSync(place, { recursive: true });
  try {
    for (const name of ['package.json', 'package-lock.json']) {
      fs.copyFileSync(join(root, name), join(place, name));
    }
    const platform = [`--cpu=${architecture}`, '--os=linux', '--libc=glibc'];
    const quiet = ['--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline'];
    const words = ['ci', '--omit=dev', ...platform, ...quiet];
    execFileSync('npm', words, { cwd: place, stdio: 'pipe', timeout: INSTALL_MS_MAX });
    return { root: place, [Symbol.dispose]: remove };
  } catch (error) {
    remove();
    throw error;
  }
}

/** What was laid out below a directory, and only that. */
class LaidTree {
  readonly #root: string;
  readonly #places = new Set<string>();

  constructor(root: string) {
    this.#root = root;
  }

  /** @param isWanted asked with paths from `source`, which is '' */
  copy(source: string, place: string, isWanted: (path: string) => boolean): void {
    const walk = (path: string) => {
      if (!isWanted(path)) return;
      const from = join(source, path);
      const state = fs.statSync(from);
      if (state.isFile()) {
        fs.copyFileSync(from, this.#reach(join(place, path)));
        const mode = (state.mode & 0o100) === 0 ? 0o644 : 0o755;
        fs.chmodSync(join(this.#root, place, path), mode);
      } else {
        for (const name of fs.readdirSync(from).sort()) walk(join(path, name));
      }
    };
    walk('');
  }

  link(place: string, target: string): void {
    fs.symlinkSync(target, this.#reach(place));
  }

  write(place: string, text: string): void {
    const path = this.#reach(place);
    fs.writeFileSync(path, text);
    // The mode with which a file is made is less what the umask of whoever builds takes away.
    fs.chmodSync(path, 0o644);
  }

  /**
   * Times come last, since each entry that is made changes those of its directory. The root is one
   * of them: where nobody but root may enter `/`, the controller, who is somebody else, cannot run.
   */
  finish(epoch: number): void {
    const isRoot = process.getuid?.() === 0;
    for (const place of [...this.#places, '.'].sort().reverse()) {
      const path = join(this.#root, place);
      if (isRoot) fs.lchownSync(path, 0, 0);
      if (fs.lstatSync(path).isDirectory()) fs.chmodSync(path, 0o755);
      fs.lutimesSync(path, epoch, epoch);
    }
  }

  /** Makes the directories above it. */
  #reach(place: string): string {
    for (let at = place; at !== '.' && at !== '/'; at = dirname(at)) this.#places.add(at);
    const path = join(this.#root, place);
    fs.mkdirSync(dirname(path), { recursive: true });
    return path;
  }
}
