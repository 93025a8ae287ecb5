// A worker thread for ending.test.ts: in the middle of defining native functions when it is ended.

import { whileBinding } from '#engine/base/binding-lock.ts';
import { nativeFunction } from '#engine/base/native.ts';
import { serveTasks } from '#engine/workers/serve.ts';
import { HAS_BEGUN, HAS_ENDED_ITSELF, IS_MADE } from './binding-words.ts';

export type BindingTasks = {
  /** Defines functions for ever. */
  define: { input: SharedArrayBuffer; output: undefined };
  /** Is in one definition until that is made. */
  defineSlowly: { input: SharedArrayBuffer; output: undefined };
};

function begin(words: Int32Array): void {
  Atomics.store(words, HAS_BEGUN, 1);
  Atomics.notify(words, HAS_BEGUN);
}

serveTasks<BindingTasks, undefined>(() => ({
  define: shared => {
    // The first loads koffi, for the most part in JavaScript.
    for (;;) {
      nativeFunction('int openat(int, uintptr_t, int, int)');
      begin(new Int32Array(shared));
    }
  },
  defineSlowly: shared => {
    const words = new Int32Array(shared);
    process.on('exit', () => {
      Atomics.store(words, HAS_ENDED_ITSELF, 1);
      Atomics.notify(words, HAS_ENDED_ITSELF);
    });
    whileBinding(() => {
      begin(words);
      Atomics.wait(words, IS_MADE, 0);
    });
    return { output: undefined };
  },
}));
