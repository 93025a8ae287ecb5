// The module that worker threads run. Where the sources run and there is a build of them, threads
// run the build: it is the same, and they start in a quarter of the time.

import { currentBuild } from '#engine/base/current-build.js';

const BESIDE = new URL('./worker.ts', import.meta.url);

/** For OpenContents; in the build itself it lies beside. */
export const THREAD_ENTRY = import.meta.url.endsWith('.ts') ? builtThread() : BESIDE;

function builtThread(): URL {
  const build = currentBuild();
  return build ? new URL('worker.js', build) : BESIDE;
}
