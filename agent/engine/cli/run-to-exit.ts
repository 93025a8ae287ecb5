// From the words of a command to its exit status: everything that can fail ends in one place here,
// in the form that was asked for.

import { isEngineError } from '#engine/base/errors.ts';
import { type Program, type Invocation, parseCommandLine } from './command-line.ts';
import { errorDocument } from './error-report.ts';
import { EXIT, exitStatusOf, type ExitStatus } from './exit-status.ts';
import { listenForSignals } from './interruption.ts';
import { optionalText, parseChoice } from './option-values.ts';
import { Output, requestedFormat } from './output.ts';
import type { ProcessSurface } from './process-surface.ts';
import type { VerbRow } from './verb.ts';

type RunSurface = Pick<ProcessSurface, 'words' | 'stdout' | 'say' | 'signals' | 'clock'>;
type Work = (output: Output, signal: AbortSignal) => Promise<ExitStatus>;

const FORMATS = ['text', 'json'] as const;

/**
 * Never rejects: a failure has been shown and is in the status.
 * @param failureText for people; a document needs no help
 */
export async function runToExit(
  surface: RunSurface,
  failureText: (error: unknown) => string,
  work: Work,
): Promise<ExitStatus> {
  const output = new Output(surface.stdout, requestedFormat(surface.words));
  using interruption = listenForSignals(surface.signals, surface.say, surface.clock);
  try {
    return await work(output, interruption.signal);
  } catch (error) {
    // Whoever reads has what they wanted; what we abandoned because of it is no failure.
    if (output.isClosed && !interruption.signal.aborted) return EXIT.done;
    for (const each of await untold(error, output)) surface.say(failureText(each));
    return exitStatusOf(error);
  }
}

/** What standard error has to tell: nothing where there is a document that does. */
async function untold(error: unknown, output: Output): Promise<unknown[]> {
  const isOfOutput = isEngineError(error, 'OUTPUT_NOT_WRITABLE');
  if (output.format === 'text' || isOfOutput) return [error];
  try {
    await output.failure(errorDocument(error));
    return [];
  } catch (outputError) {
    return [error, outputError];
  }
}

/** Undefined where help or the version was asked for, and has been written. @throws USAGE */
export async function verbAskedFor<Row extends VerbRow>(
  program: Program<Row>,
  words: readonly string[],
  output: Output,
): Promise<Extract<Invocation<Row>, { kind: 'call' }> | undefined> {
  const invocation = parseCommandLine(program, words);
  if (invocation.kind === 'text') {
    await output.bytes(invocation.text);
    return undefined;
  }
  parseChoice(optionalText(invocation.options, 'output'), '--output', FORMATS);
  return invocation;
}
