// The end of a program of ours. Node's own waits for V8's threads: one that compiles and has no
// memory left then waits for a collection, which the main thread makes, which waits for it
// (nodejs/node#54918 and #64560). On a busy machine one command in 50 never ended.

import { flushCompileCache } from 'node:module';
import { nativeFunction } from './native.ts';

/**
 * Ends the process now, wherever its threads are; as by process.exit(), listeners to 'exit' are
 * told, and what is on its way to a pipe is given up. By process.exit() where native calls are not
 * to be had, and where V8 has coverage to write.
 * @param status 0 to 255
 */
export function endProcess(status: number): never {
  const exit = process.env.NODE_V8_COVERAGE ? undefined : nativeFunction('void _exit(int status)');
  if (exit) {
    process.emit('exit', status);
    flushCompileCache(); // Node does so when it ends by itself.
    exit(status);
  }
  return process.exit(status);
}
