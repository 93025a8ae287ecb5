// The worker thread's end of the pool.

import { parentPort, type MessagePort } from 'node:worker_threads';
import { EngineError, serializeError } from '#engine/base/errors.ts';
import { isNativeAvailable } from '#engine/base/native.ts';
import { freeNativeResources } from '#engine/base/native-resources.ts';
import {
  END_OF_THREAD,
  type TaskAnswer,
  type TaskHandler,
  type TaskHandlers,
  type ThreadErrand,
  THREAD_READY,
} from './tasks.ts';

interface TaskRequest {
  readonly id: number;
  readonly kind: string;
  readonly input: unknown;
}

/**
 * Answers tasks until the thread is ended; the first message is the seed (WorkerSeed.data), unless
 * there is something to do until it comes (ThreadErrand). A synchronous handler runs to its end
 * before the next message is looked at; an asynchronous one lets others in wherever it awaits.
 */
export function serveTasks<Tasks, Seed>(
  open: (seed: Seed) => TaskHandlers<Tasks>,
  runErrand: (errand: unknown) => void = () => undefined,
): void {
  if (parentPort === null) {
    throw new EngineError('INTERNAL', 'serveTasks was called outside a worker thread');
  }
  const port = parentPort;
  // What native calls take to load is kept compiled for the flags of V8 before they are changed.
  isNativeAvailable();
  port.postMessage(THREAD_READY);
  port.on('message', function begin(seed: Seed | ThreadErrand | typeof END_OF_THREAD) {
    if (seed === END_OF_THREAD) endThread();
    if (isErrand(seed)) {
      runErrand(seed.errand);
      return;
    }
    port.off('message', begin);
    // The pool is typed by the same TaskMap, so a kind always comes with its own input.
    const table = open(seed) as Readonly<Record<string, TaskHandler<unknown, unknown> | undefined>>;
    port.on('message', (request: TaskRequest | typeof END_OF_THREAD) => {
      if (request === END_OF_THREAD) endThread();
      else void answer(port, table, request);
    });
  });
}

function isErrand(message: unknown): message is ThreadErrand {
  return typeof message === 'object' && message !== null && 'errand' in message;
}

/** What native code holds for this thread is not freed by its end alone. */
function endThread(): never {
  freeNativeResources();
  process.exit(0);
}

async function answer(
  port: MessagePort,
  table: Readonly<Record<string, TaskHandler<unknown, unknown> | undefined>>,
  { id, kind, input }: TaskRequest,
): Promise<void> {
  try {
    const handler = table[kind];
    if (!handler) throw new EngineError('INTERNAL', `no handler for tasks of kind ${kind}`);
    const reply = handler(input);
    const { output, transfer } = reply instanceof Promise ? await reply : reply;
    port.postMessage({ id, output } satisfies TaskAnswer, [...(transfer ?? [])]);
  } catch (error) {
    port.postMessage({ id, error: serializeError(error) } satisfies TaskAnswer);
  }
}
