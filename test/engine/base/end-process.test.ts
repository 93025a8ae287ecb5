// The end of a program while a thread of it is at something that cannot be stopped.

import { spawnSync } from 'node:child_process';
import t from 'tap';
import { isNativeAvailable } from '#engine/base/native.ts';

const url = (path: string): string => JSON.stringify(import.meta.resolve(path));
/** Longer than the test waits; a call of C is not interrupted when its thread is ended. */
const SLEEP_SECONDS = 60;
const END_MS_MAX = 20_000;

const THREAD = `
  import { parentPort } from 'node:worker_threads';
  import { nativeFunction } from ${url('#engine/base/native.ts')};
  const sleep = nativeFunction('uint32_t sleep(uint32_t seconds)');
  parentPort.postMessage('asleep');
  sleep(${SLEEP_SECONDS});
`;
const PROGRAM = `
  import { once } from 'node:events';
  import { Worker } from 'node:worker_threads';
  import { endProcess } from ${url('#engine/base/end-process.ts')};
  const thread = new URL('data:text/javascript,' + encodeURIComponent(${JSON.stringify(THREAD)}));
  await once(new Worker(thread), 'message');
  process.on('exit', status => console.log('told of ' + status));
  endProcess(Number(process.argv[1]));
`;

function run(status: number) {
  const words = ['--input-type=module', '--eval', PROGRAM, '--', String(status)];
  return spawnSync(process.execPath, words, { encoding: 'utf8', timeout: END_MS_MAX });
}

const skip = isNativeAvailable() ? false : 'native calls are not to be had here';

t.test('a program ends at once with its status, whatever its threads are at', { skip }, async t => {
  for (const status of [0, 3]) {
    const ended = run(status);
    t.match(ended, { status, signal: null, stderr: '' });
    t.equal(ended.stdout, `told of ${status}\n`, 'listeners are told');
  }
});
