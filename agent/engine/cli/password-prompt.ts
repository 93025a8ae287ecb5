// Asking for a line at a terminal without showing it.

import { EngineError } from '#engine/base/errors.ts';
import { abortedError } from '#engine/base/abort.ts';

/** The parts of process.stdin that are needed. */
export interface PromptInput extends NodeJS.ReadableStream {
  setRawMode?: (isRaw: boolean) => unknown;
}

const LENGTH_MAX = 4096;
const ENTER = new Set(['\r', '\n']);
const ERASE = new Set(['\u007f', '\b']);
const ERASE_LINE = '\u0015';
const CONTROL_C = '\u0003';
const CONTROL_D = '\u0004';

/**
 * The line that was typed. Echo is off while waiting and as it was afterwards.
 * @throws ABORTED at Ctrl-C, Ctrl-D on an empty line, end of input, or when `signal` fires
 */
export async function promptHidden(
  question: string,
  input: PromptInput,
  show: (text: string) => void,
  signal: AbortSignal,
): Promise<string> {
  if (signal.aborted) throw abortedError(signal);
  show(question);
  input.setRawMode?.(true);
  input.setEncoding('utf8');
  try {
    return await readLine(input, signal);
  } finally {
    input.setRawMode?.(false);
    input.pause();
    show('\n');
  }
}

function readLine(input: PromptInput, signal: AbortSignal): Promise<string> {
  return new Promise((resolve, reject) => {
    let characters: string[] = [];
    const settle = (finish: () => void) => {
      input.off('data', onText);
      input.off('end', onEnd);
      signal.removeEventListener('abort', onAbort);
      finish();
    };
    const give = () => settle(() => resolve(characters.join('')));
    const giveUp = () =>
      settle(() => reject(new EngineError('ABORTED', 'no password was typed; nothing was done')));
    const onEnd = () => giveUp();
    const onAbort = () => settle(() => reject(abortedError(signal)));
    const onText = (text: string | Uint8Array) => {
      for (const character of String(text)) {
        if (ENTER.has(character)) return give();
        if (character === CONTROL_C) return giveUp();
        if (character === CONTROL_D) return characters.length === 0 ? giveUp() : give();
        if (ERASE.has(character)) characters.pop();
        else if (character === ERASE_LINE) characters = [];
        else if (character >= ' ' && characters.length < LENGTH_MAX) characters.push(character);
      }
    };
    input.on('data', onText);
    input.on('end', onEnd);
    signal.addEventListener('abort', onAbort, { once: true });
    input.resume();
  });
}
