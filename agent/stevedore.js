#!/usr/bin/env node
// The `stevedore` program: the command, with the words `node-agent` and `controller` what runs
// in Kubernetes, with `queue` and `nodes` what asks the latter, and with `annotations` what shows
// what the latter would write; `moves` and others are about a cluster, and by the name
// `kubectl-stevedore` all are.
// Plain JavaScript, because an older Node has to be able to start it: the sources need Node 24, and
// where that comes with the installed packages it takes over from here. Runs the build of the
// sources where it is current, else the sources themselves.
import { existsSync } from 'node:fs';
import nodeModule from 'node:module';
import { constants, homedir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { currentBuild } from './engine/base/current-build.js';
import { beginThread } from './engine/base/begin-thread.js';

const NODE_MAJOR_MIN = 24;
/** Commands that ask the controller, and one that asks the API server. */
const ASKING = new Set(['queue', 'nodes', 'annotations']);
/** Those about a cluster, and by which shells complete words. */
const CLUSTER = new Set([
  ...['status', 'preflight', 'moves', 'why', 'diagnose'],
  ...['completion', '__complete'],
]);
/** kubectl starts a program of this name for `kubectl stevedore`; all is about a cluster then. */
const IS_PLUGIN = /^kubectl-stevedore\b/.test(basename(process.argv[1] ?? ''));

/** Commands that need a thread, which takes as long to start as they take to load. */
const WITH_THREAD = new Set(['backup', 'restore', 'verify']);
let begun;

/** Threads inherit a priority from the one that begins them, which has it when it has been read. */
function standsBack() {
  return process.argv.some(word => /^--(io)?nice\b/.test(word));
}

function bundledNode() {
  return [
    '../node_modules/node/bin/node',
    `../node_modules/node-${process.platform}-${process.arch}/bin/node`,
  ]
    .map(path => fileURLToPath(new URL(path, import.meta.url)))
    .find(path => existsSync(path));
}

// Signals may be meant for this process alone, so they are passed on. What a terminal sends reaches
// the child by itself as well; it takes the two for one (interruption.ts).
async function runWith(node) {
  const { spawn } = await import('node:child_process');
  const child = spawn(node, process.argv.slice(1), { stdio: 'inherit' });
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal));
  child.on('error', error => {
    console.error(`stevedore: ${node} cannot be started: ${error.message}`);
    process.exitCode = 1;
  });
  child.on('exit', (status, signal) => {
    process.exitCode = status ?? 128 + (signal ? constants.signals[signal] : 0);
  });
}

// Node strips the types of 200 files for each thread; keeping the result saves 0.2 s and 30 MiB a
// thread. Not in a shared temporary directory, where others could leave code for us to run.
function keepCompiledCode() {
  process.env.NODE_COMPILE_CACHE ??= join(
    process.env.XDG_CACHE_HOME || join(homedir(), '.cache'),
    'stevedore',
    'compiled',
  );
  // Threads find the directory in the environment; where it cannot be written nothing is kept.
  nodeModule.enableCompileCache(process.env.NODE_COMPILE_CACHE);
}

function load(word) {
  if (ASKING.has(word)) return import(currentBuild('ask.js') ?? '#controller/commands/main.ts');
  if (IS_PLUGIN || CLUSTER.has(word)) {
    return import(currentBuild('cluster.js') ?? './commands/main.ts');
  }
  switch (word) {
    case 'node-agent':
      return import(currentBuild('agent.js') ?? './main.ts');
    case 'controller':
      return import(currentBuild('controller.js') ?? '#controller/main.ts');
    default: {
      const build = currentBuild();
      if (build && WITH_THREAD.has(word) && !standsBack())
        begun = beginThread(new URL('worker.js', build));
      return import(build ?? './engine/cli/main.ts');
    }
  }
}

if (Number(process.versions.node.split('.')[0]) >= NODE_MAJOR_MIN) {
  keepCompiledCode();
  const [, , word, second] = process.argv;
  const isHelp = word === 'help' && (ASKING.has(second) || CLUSTER.has(second));
  const { main } = await load(isHelp ? second : word);
  await main(begun);
} else {
  const node = bundledNode();
  if (node === undefined) {
    console.error(
      `stevedore: Node ${NODE_MAJOR_MIN} or newer is needed and this is ${process.version};\n` +
        `      try: npm ci in ${fileURLToPath(new URL('..', import.meta.url))}, which brings one`,
    );
    process.exitCode = 1;
  } else {
    await runWith(node);
  }
}
