// The trees that are backed up. Two are made, the same in every run; the third is the project's own
// node_modules, because nobody made that one up.

import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { MIB } from './stages/figure.ts';
import { NoiseStream } from './stages/test-bytes.ts';

export interface Source {
  readonly name: string;
  readonly title: string;
  readonly path: string;
}

export const SOURCE_NAMES: readonly string[] = ['large', 'small', 'node_modules'];

const SEED = 20_261_120;
const SMALL_FILE_BYTES_MAX = 13_700;
const LARGE_FILES = 3;
const NODE_MODULES = fileURLToPath(new URL('../../node_modules', import.meta.url));

/** Makes a source below `directory` unless an earlier run has left it there. */
export function prepareSource(name: string, directory: string, isQuick: boolean): Source {
  if (name === 'large') return prepareLarge(directory, isQuick ? 256 : 1024);
  if (name === 'small') return prepareSmall(directory, isQuick ? [20, 10, 100] : [20, 50, 150]);
  return { name, title: "the project's node_modules", path: NODE_MODULES };
}

function prepareLarge(directory: string, fileMib: number): Source {
  const title = `${LARGE_FILES} incompressible files of ${fileMib} MiB`;
  const path = makeOnce(join(directory, `large-${LARGE_FILES}x${fileMib}`), target => {
    const noise = new NoiseStream(SEED);
    for (let index = 0; index < LARGE_FILES; index++) {
      const file = openSync(join(target, `file-${index}`), 'wx');
      for (let done = 0; done < fileMib; done++) writeSync(file, noise.take(MIB));
      closeSync(file);
    }
  });
  return { name: 'large', title, path };
}

function prepareSmall(directory: string, shape: readonly [number, number, number]): Source {
  const [outer, inner, files] = shape;
  const total = outer * inner * files;
  const title = `${total} incompressible files of 0 to ${SMALL_FILE_BYTES_MAX} bytes`;
  const path = makeOnce(join(directory, `small-${total}`), target => {
    const noise = new NoiseStream(SEED + 1);
    for (let leaf = 0; leaf < outer * inner; leaf++) {
      const place = join(target, `outer-${leaf % outer}`, `inner-${Math.floor(leaf / outer)}`);
      mkdirSync(place, { recursive: true });
      for (let file = 0; file < files; file++) {
        const bytes = Buffer.from(noise.take(4)).readUInt32LE() % SMALL_FILE_BYTES_MAX;
        writeFileSync(join(place, `file-${file}`), noise.take(bytes));
      }
    }
  });
  return { name: 'small', title, path };
}

/** The stamp beside a tree says that it is whole. */
function makeOnce(path: string, make: (path: string) => void): string {
  const stamp = `${path}.done`;
  if (existsSync(stamp)) return path;
  rmSync(path, { recursive: true, force: true });
  mkdirSync(path, { recursive: true });
  make(path);
  writeFileSync(stamp, '');
  return path;
}
