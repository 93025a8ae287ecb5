// The last step of a build: V8 compiles a function when it is first called, in each thread of each
// run again, so the programs run here once each way and what V8 has compiled of them by the end is
// kept beside them (run-compiled.js). Nobody writes there later: what root runs is never what
// somebody else has left.

import { Buffer } from 'node:buffer';
import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import { asciiSource } from './ascii-source.js';

const NODE_MAJOR_MIN = 24;
const RUN_MS_MAX = 60_000;
/** Longer than a chunk. */
const LARGE_BYTES = 9 * 1024 * 1024;

/** The same as a module, for where nothing is compiled that fits. */
export function moduleName(name) {
  return `${name}-module`;
}

/** A function that run-compiled.js calls with these arguments. */
export async function buildScript(bundle, common, { target, name, entry }) {
  const { outputFiles } = await bundle({
    ...common,
    entryPoints: [entry],
    format: 'cjs',
    write: false,
    outdir: target,
    define: {
      'import.meta.url': 'moduleUrl',
      'import.meta.dirname': '__dirname',
      'import.meta.filename': '__filename',
    },
  });
  const text = asciiSource(outputFiles[0].text);
  const parameters = 'require, module, exports, moduleUrl, __dirname, __filename';
  writeFileSync(join(target, `${name}.script`), `(function (${parameters}) {${text}\n})`);
}

/** First the programs write what is compiled of them, then they run by it. */
export function compileAhead(root, target, names) {
  copyFileSync(join(root, 'agent/run-compiled.js'), join(target, 'run-compiled.js'));
  const recorder = relative(target, join(root, 'agent/record-compiled.js'));
  for (const name of names) {
    writeStart(target, name, `recordCompiled(import.meta.dirname, '${name}')`, recorder);
  }
  const node = nodeOfPrograms(root);
  if (node === undefined || !recordRuns(node, join(target, 'main.js'))) {
    console.error('build: nothing is compiled ahead; programs start a little slower');
  }
  for (const name of names) {
    const module = `await import('./${moduleName(name)}.js')`;
    writeStart(target, name, `runCompiled(import.meta.dirname, '${name}') ?? (${module})`);
  }
}

function writeStart(target, name, expression, from = './run-compiled.js') {
  const [called] = expression.split('(');
  const text = `import { ${called} } from '${from}';\nexport const { main } = ${expression};\n`;
  writeFileSync(join(target, `${name}.js`), text);
}

/** Runs `program`, a module that records. @returns whether all went well */
function recordRuns(node, program) {
  const place = mkdtempSync(join(tmpdir(), 'stevedore-build-'));
  try {
    const source = join(place, 'source');
    makeTree(source);
    const runs = [
      ['repo', 'create'],
      ['backup', source, '--compression', 'none'],
      ['backup', source],
      ['restore', 'latest', join(place, 'target')],
      ['snapshots'],
    ];
    return runs.every(words => runOnce(node, program, place, words));
  } finally {
    rmSync(place, { recursive: true });
  }
}

function runOnce(node, program, place, words) {
  const start =
    `process.argv.splice(1, 0, 'stevedore'); ` +
    `await (await import(${JSON.stringify(pathToFileURL(program).href)})).main();`;
  const { status } = spawnSync(
    node,
    ['--input-type=module', '-e', start, '--', ...words, '--quiet', '--threads', '1'],
    {
      env: {
        PATH: process.env.PATH,
        STEVEDORE_REPO: `file://${join(place, 'repository')}`,
        STEVEDORE_PASSWORD: 'of a build',
      },
      stdio: 'ignore',
      timeout: RUN_MS_MAX,
    },
  );
  return status === 0;
}

function makeTree(root) {
  for (const folder of ['a', 'b/c']) {
    mkdirSync(join(root, folder), { recursive: true });
    for (let file = 0; file < 20; file++) {
      writeFileSync(join(root, folder, `file-${file}`), `${folder}, ${file}\n`.repeat(file * 10));
    }
  }
  symlinkSync('a/file-1', join(root, 'link'));
  writeFileSync(join(root, 'large'), Buffer.alloc(LARGE_BYTES, 'all kinds of things'));
}

/** The Node that stevedore.js would run with. */
function nodeOfPrograms(root) {
  if (Number(process.versions.node.split('.')[0]) >= NODE_MAJOR_MIN) return process.execPath;
  return ['node', `node-${process.platform}-${process.arch}`]
    .map(name => join(root, 'node_modules', name, 'bin/node'))
    .find(path => existsSync(path));
}
