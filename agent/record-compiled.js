// What a program and its threads run while a build is made (compile-ahead.js): as run-compiled.js,
// and when a thread ends, what V8 has compiled in it is written beside the script.

import { Buffer } from 'node:buffer';
import { writeFileSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { isMainThread } from 'node:worker_threads';
import { crc32 } from 'node:zlib';
import {
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
const LOCAL = [...DEFAULT, '--semi-space-growth-factor=1', '--optimize-for-size'];
const TRAFFIC = [
  ...DEFAULT,
  '--semi-space-growth-factor=1',
  '--external-memory-accounted-in-global-limit',
];

/** As runCompiled, and keeps what was compiled when the thread ends. */
export function recordCompiled(folder, name) {
  const source = readScript(folder, name);
  const script = openScript(source, readCompiled(compiledPath(folder, name), source));
  process.on('exit', () => {
    for (const flags of isMainThread ? [DEFAULT] : [DEFAULT, LOCAL, TRAFFIC]) {
      for (const flag of flags) setFlagsFromString(flag);
      const compiled = script.createCachedData();
      const sums = Buffer.alloc(SUMS_BYTES);
      sums.writeUInt32LE(crc32(source.bytes), 0);
      sums.writeUInt32LE(crc32(compiled), 4);
      writeFileSync(compiledPath(folder, name), Buffer.concat([sums, compiled]));
    }
  });
  return run(script, source.path);
}
