// The trees that are backed up. All but one are made, the same in every run; that one is the
// project's own node_modules, because nobody made it up.

import {
  closeSync,
  existsSync,
  lutimesSync,
  mkdirSync,
  openSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { emptyFilesPlace, makeEmptyFiles } from './empty-files.ts';
import { MIB } from './stages/figure.ts';
import { NoiseStream } from './stages/test-bytes.ts';

export interface Source {
  readonly name: string;
  readonly title: string;
  readonly path: string;
  /** Repositories are made once for all rounds, unless the first backup itself is measured. */
  readonly isPreparedOnce: boolean;
  /** Backups before the first measured run, of which each but the first has a change before it. */
  readonly generations: number;
  /** Nobody else is asked, and only memory is looked at: the cache is left as it is. */
  readonly isOursAlone: boolean;
  /** Where they are known without looking. */
  readonly files: number;
}

/** What is not made, and why. */
export interface SkippedSource {
  readonly reason: string;
}

export interface SourcePlaces {
  /** Where sources are kept for the next run. */
  readonly sources: string;
  /** Where what changes for good is made. */
  readonly scratch: string;
}

const SEED = 20_261_120;
const SMALL_FILE_BYTES_MAX = 13_700;
const LARGE_FILES = 3;
const NODE_MODULES = fileURLToPath(new URL('../../node_modules', import.meta.url));
/** Long ago, so that nobody takes a file for one that may still be written to. */
const MADE_AT_SECONDS = 1_700_000_000;

type Maker = (places: SourcePlaces, isQuick: boolean) => Source | SkippedSource;

const MAKERS: Readonly<Record<string, Maker>> = {
  large: ({ sources }, isQuick) => makeLarge(sources, isQuick ? 256 : 1024),
  small: ({ sources }, isQuick) => makeSmall(sources, isQuick ? [20, 10, 100] : [20, 50, 150]),
  image: ({ sources }, isQuick) => makeImage(sources, isQuick ? 256 : 3072),
  generations: ({ scratch }, isQuick) => makeGenerations(scratch, isQuick),
  node_modules: () => ({
    ...source('node_modules', "the project's node_modules", NODE_MODULES),
    isPreparedOnce: true,
  }),
  'ten-million': ({ sources }, isQuick) => makeTenMillion(sources, isQuick ? 200_000 : 10_000_000),
};

export const SOURCE_NAMES: readonly string[] = Object.freeze(Object.keys(MAKERS));

/** Makes a source, unless an earlier run has left it there. */
export function prepareSource(
  name: string,
  places: SourcePlaces,
  isQuick: boolean,
): Source | SkippedSource {
  const make = MAKERS[name];
  if (make === undefined) throw new Error(`there is no source "${name}"`);
  return make(places, isQuick);
}

function source(name: string, title: string, path: string): Source {
  return { name, title, path, isPreparedOnce: false, generations: 1, isOursAlone: false, files: 0 };
}

function makeLarge(directory: string, fileMib: number): Source {
  const title = `${LARGE_FILES} incompressible files of ${fileMib} MiB`;
  const path = makeOnce(join(directory, `large-${LARGE_FILES}x${fileMib}`), target => {
    const noise = new NoiseStream(SEED);
    for (let index = 0; index < LARGE_FILES; index++) {
      writeNoise(join(target, `file-${index}`), noise, fileMib * MIB);
    }
  });
  return source('large', title, path);
}

function makeSmall(directory: string, shape: readonly [number, number, number]): Source {
  const [outer, inner, files] = shape;
  const total = outer * inner * files;
  const title = `${total} incompressible files of 0 to ${SMALL_FILE_BYTES_MAX} bytes`;
  const path = makeOnce(join(directory, `small-${total}`), target => {
    const noise = new NoiseStream(SEED + 1);
    for (let leaf = 0; leaf < outer * inner; leaf++) {
      const place = join(target, `outer-${leaf % outer}`, `inner-${Math.floor(leaf / outer)}`);
      writeSmallFiles(place, noise, files);
    }
  });
  return { ...source('small', title, path), isPreparedOnce: true };
}

function makeImage(directory: string, fileMib: number): Source {
  const title = `one incompressible file of ${fileMib} MiB`;
  const path = makeOnce(join(directory, `image-${fileMib}`), target => {
    writeNoise(join(target, 'image'), new NoiseStream(SEED + 2), fileMib * MIB);
  });
  return source('image', title, path);
}

/** Made anew each time, because it ends as another tree than it began. */
function makeGenerations(directory: string, isQuick: boolean): Source {
  const [generations, directories, imageMib] = isQuick ? [6, 10, 64] : [30, 200, 256];
  const files = 200;
  const path = join(directory, 'generations');
  mkdirSync(path, { recursive: true });
  const noise = new NoiseStream(SEED + 3);
  writeNoise(join(path, 'image'), noise, imageMib * MIB);
  for (let index = 0; index < directories; index++) {
    writeSmallFiles(join(path, `part-${index}`), noise, files);
  }
  const title =
    `${generations} generations of ${directories * files} small files and one of ` +
    `${imageMib} MiB, 1 to 2 % changed in each`;
  return { ...source('generations', title, path), isPreparedOnce: true, generations };
}

function makeTenMillion(directory: string, count: number): Source | SkippedSource {
  const place = emptyFilesPlace(directory, count);
  if (place.reason !== undefined) return place;
  const path = makeOnce(join(place.directory, `empty-${count}`), target => {
    makeEmptyFiles(target, count);
  });
  const title = `${count.toLocaleString('en-US')} empty files`;
  return { ...source('ten-million', title, path), isOursAlone: true, files: count };
}

function writeNoise(path: string, noise: NoiseStream, bytes: number): void {
  const file = openSync(path, 'wx');
  for (let done = 0; done < bytes; done += MIB) writeSync(file, noise.take(MIB));
  closeSync(file);
  lutimesSync(path, MADE_AT_SECONDS, MADE_AT_SECONDS);
}

function writeSmallFiles(directory: string, noise: NoiseStream, count: number): void {
  mkdirSync(directory, { recursive: true });
  for (let index = 0; index < count; index++) {
    const bytes = Buffer.from(noise.take(4)).readUInt32LE() % SMALL_FILE_BYTES_MAX;
    const path = join(directory, `file-${index}`);
    writeFileSync(path, noise.take(bytes));
    lutimesSync(path, MADE_AT_SECONDS + index, MADE_AT_SECONDS + index);
  }
}

/** The stamp beside a tree says that it is whole and as it was made. */
export function stampOf(path: string): string {
  return `${path}.done`;
}

function makeOnce(path: string, make: (path: string) => void): string {
  if (existsSync(stampOf(path))) return path;
  rmSync(path, { recursive: true, force: true });
  mkdirSync(path, { recursive: true });
  make(path);
  writeFileSync(stampOf(path), '');
  return path;
}
