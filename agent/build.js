// Packs the sources into dist/: one file each for the command, the agent, the controller, the
// library and every kind of worker thread, and what they share. `npm run build`, and by itself
// after `npm ci`; with --if-changed only where something has changed since. Plain JavaScript,
// because npm runs it with whatever Node there is. current-build.js decides whether what lies there
// is used.

import { copyFileSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { readdirSync, statSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { currentBuild } from '#engine/base/current-build.js';
import { asciiSource } from './ascii-source.js';
import { buildScript, compileAhead, moduleName as nameOfModule } from './compile-ahead.js';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const SOURCES = join(ROOT, 'agent');
/** A change of these changes every build. */
const BUILD = [
  'ascii-source.js',
  'build.js',
  'compile-ahead.js',
  'record-compiled.js',
  'run-compiled.js',
].map(name => join(SOURCES, name));
const ENGINE = join(SOURCES, 'engine');
const TARGET = join(ROOT, 'dist');
/** Native code, and a package whose WebAssembly is found beside it; S3 is large and seldom used. */
const NOT_PACKED = ['koffi', 'fastcdc-wasm', '@aws-sdk/client-s3'];
/** How sources name a file that lies beside them. */
const PLACE = /new URL\(\s*'(\.[^']+)',\s*import\.meta\.url\s*,?\s*\)/g;

/** Where the file that `source` calls `specifier` will be, seen from any file of dist/. */
function placeInBuild(source, specifier) {
  const path = join(dirname(source), specifier);
  if (relative(SOURCES, path).startsWith('..')) return relative(TARGET, path);
  return `./${basename(path).replace(/\.ts$/, '.js')}`;
}

/** Absolute paths of what the sources name so: threads' modules and WebAssembly. */
function placesNamed() {
  const sources = readdirSync(SOURCES, { recursive: true, encoding: 'utf8' })
    .filter(path => path.endsWith('.ts') && !path.includes('wasm/'))
    .map(path => join(SOURCES, path));
  const named = sources.flatMap(source =>
    [...readFileSync(source, 'utf8').matchAll(PLACE)].map(([, path]) =>
      join(dirname(source), path),
    ),
  );
  return named.filter(path => !relative(SOURCES, path).startsWith('..'));
}

const places = {
  name: 'places',
  setup(build) {
    build.onLoad({ filter: /\/agent\/.*\.ts$/ }, ({ path }) => {
      const text = readFileSync(path, 'utf8');
      const replace = (_, place) => `new URL('${placeInBuild(path, place)}', import.meta.url)`;
      return { contents: text.replace(PLACE, replace), loader: 'ts' };
    });
  },
};

function keepAscii(path) {
  if (path.endsWith('.js')) writeFileSync(path, asciiSource(readFileSync(path, 'utf8')));
}

const COMMON = {
  absWorkingDir: ROOT,
  bundle: true,
  platform: 'node',
  target: 'node24',
  external: NOT_PACKED,
  // Comments name the files; where node_modules really lies makes no difference to a build.
  preserveSymlinks: true,
  plugins: [places],
};

/** Each has a list of what it was made from beside it. */
const PROGRAMS = {
  main: join(ENGINE, 'cli/main.ts'),
  agent: join(SOURCES, 'main.ts'),
  controller: join(ROOT, 'controller/main.ts'),
  ask: join(ROOT, 'controller/commands/main.ts'),
  cluster: join(SOURCES, 'commands/main.ts'),
  index: join(ENGINE, 'index.ts'),
};

/** Of these there is a script, too, which V8 can be given in compiled form. */
const COMPILED = ['main', 'worker'];

async function build(bundle, target) {
  const named = placesNamed();
  const threads = named.filter(path => path.endsWith('.ts'));
  const copied = named.filter(path => !path.endsWith('.ts'));
  const entries = {
    ...PROGRAMS,
    ...Object.fromEntries(threads.map(path => [basename(path, '.ts'), path])),
  };
  const { metafile } = await bundle({
    ...COMMON,
    entryPoints: Object.fromEntries(
      Object.entries(entries).map(([name, path]) => [moduleName(name), path]),
    ),
    chunkNames: 'part-[hash]',
    outdir: target,
    splitting: true,
    metafile: true,
    format: 'esm',
    // Packages in CommonJS ask for Node's modules by require().
    banner: {
      js:
        "import { createRequire as requireOfBuild } from 'node:module';\n" +
        'const require = requireOfBuild(import.meta.url);',
    },
  });
  for (const path of Object.keys(metafile.outputs)) keepAscii(join(ROOT, path));
  for (const path of copied) copyFileSync(path, join(target, basename(path)));
  for (const [name, entry] of Object.entries(PROGRAMS)) {
    const inputs = [
      ...inputsOf([entry, ...threads], metafile),
      ...[...BUILD, ...copied].map(fromRoot),
    ];
    writeFileSync(join(target, `${name}.inputs.json`), JSON.stringify(inputs.map(stampOf)));
  }
  for (const name of COMPILED) {
    await buildScript(bundle, COMMON, { target, name, entry: entries[name] });
  }
  compileAhead(ROOT, target, COMPILED);
}

function moduleName(name) {
  return COMPILED.includes(name) ? nameOfModule(name) : name;
}

/** What a program and the threads are made from; to look at all files cost each start 20 ms. */
function inputsOf(entries, { inputs }) {
  const found = new Set(entries.map(fromRoot));
  for (const path of found) {
    for (const { path: imported } of inputs[path].imports) {
      if (imported in inputs) found.add(imported);
    }
  }
  return [...found];
}

function fromRoot(path) {
  return relative(ROOT, path);
}

/** What current-build.js compares. */
function stampOf(path) {
  const { size, mtimeMs } = statSync(join(ROOT, path));
  return [path, size, mtimeMs];
}

/** Undefined where the packages for development are not installed. */
async function loadBundler() {
  try {
    return (await import('esbuild')).build;
  } catch (error) {
    if (error.code === 'ERR_MODULE_NOT_FOUND') return undefined;
    throw error;
  }
}

const isCurrent = Object.keys(PROGRAMS).every(name => currentBuild(`${name}.js`) !== undefined);
if (process.argv.includes('--if-changed') && isCurrent) process.exit();
const bundle = await loadBundler();
if (bundle === undefined) {
  console.error('build: esbuild is not installed, so the sources are what runs');
  process.exitCode = process.argv.includes('--if-possible') ? 0 : 1;
} else {
  // Whoever runs the old build goes on with whole files.
  const fresh = join(ROOT, `dist.${process.pid}`);
  mkdirSync(fresh);
  try {
    await build(bundle, fresh);
    rmSync(TARGET, { recursive: true, force: true });
    renameSync(fresh, TARGET);
  } finally {
    rmSync(fresh, { recursive: true, force: true });
  }
}
