// What a program and its threads run while a build is made (compile-ahead.js): as run-compiled.js,
// and when a thread ends, what V8 has compiled in it is written beside the script.

import { Buffer } from 'node:buffer';
import { writeFileSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { isMainThread } from 'node:worker_threads';
import { crc32 } from 'node:zlib';
import {
  compiledHead,
  compiledPath,
  openScript,
  readCompiled,
  readScript,
  run,
  SUMS_BYTES,
} from './run-compiled.js';

/** What a program has set when it starts a thread (engine/base/process-memory.ts); of a library. */
const DEFAULT = [
  '--semi-space-growth-factor=2',
  '--no-optimize-for-size',
  '--no-external-memory-accounted-in-global-limit',
  '--no-expose-gc',
];
const LOCAL = [
  ...DEFAULT,
  '--semi-space-growth-factor=1',
  '--optimize-for-size',
  '--efficiency-mode',
];
const TRAFFIC = [
  ...DEFAULT,
  '--semi-space-growth-factor=1',
  '--efficiency-mode',
  '--external-memory-accounted-in-global-limit',
];

/**
 * The head of what is compiled under the flags that a process starts with, which no list brings
 * back: --efficiency-mode is set, reset or neither. Threads have it from the one that began them.
 */
process.env.STEVEDORE_COMPILED_HEAD ??= compiledHead().toString('hex');
const START_HEAD = Buffer.from(process.env.STEVEDORE_COMPILED_HEAD, 'hex');
/** Where in a head the flags stand. */
const FLAGS_AT = 12;
const FLAGS_END = 16;

/** As runCompiled, and keeps what was compiled when the thread ends. */
export function recordCompiled(folder, name) {
  const source = readScript(folder, name);
  const script = openScript(source, readCompiled(compiledPath(folder, name), source));
  process.on('exit', () => {
    for (const flags of isMainThread ? [DEFAULT] : [DEFAULT, LOCAL, TRAFFIC]) {
      for (const flag of flags) setFlagsFromString(flag);
      const head = flags === DEFAULT ? START_HEAD : compiledHead();
      const compiled = script.createCachedData();
      head.copy(compiled, FLAGS_AT, FLAGS_AT, FLAGS_END);
      const sums = Buffer.alloc(SUMS_BYTES);
      sums.writeUInt32LE(crc32(source.bytes), 0);
      sums.writeUInt32LE(crc32(compiled), 4);
      writeFileSync(compiledPath(folder, name, head), Buffer.concat([sums, compiled]));
    }
  });
  return run(script, source.path);
}
