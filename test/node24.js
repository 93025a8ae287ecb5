#!/usr/bin/env node
// Runs a program under Node 24, whatever Node npm itself runs on. Plain JavaScript, because an
// older Node has to be able to start it. The binary comes from the `node` development dependency;
// where install scripts are switched off that package is empty, and a system Node 24 serves as
// well.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

const bundled = [
  '../node_modules/node/bin/node',
  `../node_modules/node-${process.platform}-${process.arch}/bin/node`,
].map(path => fileURLToPath(new URL(path, import.meta.url)));
const isCurrentEnough = Number(process.versions.node.split('.')[0]) >= 24;
const node =
  bundled.find(path => existsSync(path)) ?? (isCurrentEnough ? process.execPath : undefined);
if (node === undefined) {
  console.error(
    `this project needs Node 24 or newer and runs on ${process.version}; run "npm ci" ` +
      'with install scripts allowed, or put a newer node on the PATH',
  );
  process.exit(1);
}
// Stripped types are kept, so that each of the many test processes need not do it again. Not in
// node_modules, which the benchmark backs up: a source that changes cannot be compared.
const cache = fileURLToPath(new URL('../out/compiled', import.meta.url));
const { status, signal, error } = spawnSync(node, process.argv.slice(2), {
  stdio: 'inherit',
  env: {
    NODE_COMPILE_CACHE: cache,
    ...process.env,
    PATH: `${dirname(node)}${delimiter}${process.env.PATH ?? ''}`,
  },
});
if (error) throw error;
if (signal) process.kill(process.pid, signal);
process.exit(status ?? 1);
