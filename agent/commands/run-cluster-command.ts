// One run of a verb about a cluster, from words to exit status, with the process handed in.

import type { Clock } from '#engine/base/clock.ts';
import { isEngineError } from '#engine/base/errors.ts';
import { parseCommandLine, type Program } from '#engine/cli/command-line.ts';
import { errorDocument, errorText } from '#engine/cli/error-report.ts';
import { EXIT, exitStatusOf, type ExitStatus } from '#engine/cli/exit-status.ts';
import { listenForSignals, type SignalSource } from '#engine/cli/interruption.ts';
import { optionalText, parseChoice, type OptionValues } from '#engine/cli/option-values.ts';
import { type ByteSink, Output, requestedFormat } from '#engine/cli/output.ts';
import type { Surroundings } from '#engine/cli/verb.ts';
import { GLOBAL_OPTIONS, OTHER_PROGRAMS, VERBS } from '#engine/cli/verbs.ts';
import type { ErrorCode } from '#engine/base/error-codes.ts';
import { HttpKubeClient } from '#kube/http-client.ts';
import { connect } from '#kube/kube-config.ts';
import { candidates, type Completed } from './completion.ts';
import type { ClusterSession, ClusterVerb } from './cluster-verb.ts';
import { CLUSTER_EPILOGUE, CLUSTER_OPTIONS, CLUSTER_VERBS, PLUGIN_VERBS } from './cluster-verbs.ts';

export interface ClusterSurface {
  readonly words: readonly string[];
  /** It was called as `kubectl stevedore`. */
  readonly isPlugin: boolean;
  readonly version: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly surroundings: Surroundings;
  readonly stdout: ByteSink;
  readonly columns: number;
  /** Writes to standard error. */
  readonly say: (text: string) => void;
  readonly signals: SignalSource;
  readonly clock: Clock;
}

const ASKING = ['queue', 'nodes', 'annotations'];

/** What to do about it from here. */
const HINTS: Readonly<Partial<Record<ErrorCode, string>>> = Object.freeze({
  KUBE_CONFIG_INVALID: 'give --kubeconfig FILE or set KUBECONFIG; kubectl config view shows it',
  KUBE_UNAVAILABLE: 'look at --kubeconfig and --context, and whether kubectl version answers',
  KUBE_TIMEOUT: 'look at --kubeconfig and --context, and whether kubectl version answers',
  KUBE_FORBIDDEN: 'ask for that right, or use a --context that has it',
  USAGE: '--help',
});

/** Never rejects: a failure has been shown and is in the status. */
export async function runClusterCommand(surface: ClusterSurface): Promise<ExitStatus> {
  const { words } = surface;
  const output = new Output(surface.stdout, requestedFormat(words));
  using interruption = listenForSignals(surface.signals, surface.say, surface.clock);
  try {
    if (words[0] === '__complete') return await complete(surface, output);
    return await dispatch(surface, output, interruption.signal);
  } catch (error) {
    if (output.isClosed && !interruption.signal.aborted) return EXIT.done;
    if (output.format === 'json') await output.failure(errorDocument(error));
    else {
      const hint = isEngineError(error) ? HINTS[error.code] : undefined;
      const hasStack = surface.environment.STEVEDORE_DEBUG === '1';
      surface.say(errorText(error, { hint, hasStack }));
    }
    return exitStatusOf(error);
  }
}

async function dispatch(
  surface: ClusterSurface,
  output: Output,
  signal: AbortSignal,
): Promise<ExitStatus> {
  const invocation = parseCommandLine(programOf(surface), surface.words);
  if (invocation.kind === 'text') {
    await output.bytes(invocation.text);
    return EXIT.done;
  }
  const { verb, operands, options } = invocation;
  parseChoice(optionalText(options, 'output'), '--output', ['text', 'json'] as const);
  const job = verb.prepare(operands, options, surface.surroundings);
  return await job(sessionOf(surface, output, signal, options));
}

function sessionOf(
  { clock, environment, say, columns }: ClusterSurface,
  output: Output,
  signal: AbortSignal,
  options: OptionValues,
): ClusterSession {
  const connectOptions = {
    kubeconfig: optionalText(options, 'kubeconfig'),
    context: optionalText(options, 'context'),
    environment,
  };
  return {
    ...{ output, signal, clock, environment, say, columns, connectOptions },
    async withCluster(work) {
      const connection = await connect(connectOptions);
      try {
        const kube = new HttpKubeClient(connection, { clock });
        return await work({ kube, ask: kube, connection });
      } finally {
        connection.close();
      }
    },
  };
}

function programOf({ isPlugin, version, columns }: ClusterSurface): Program<ClusterVerb> {
  return {
    name: isPlugin ? 'kubectl stevedore' : 'stevedore',
    version,
    summary: 'Shows how moves of volumes stand in a cluster, and what to do about them.',
    globalOptions: CLUSTER_OPTIONS,
    verbs: isPlugin ? [...CLUSTER_VERBS, ...PLUGIN_VERBS] : CLUSTER_VERBS,
    otherPrograms: ASKING,
    epilogue: CLUSTER_EPILOGUE,
    columns,
  };
}

async function complete({ isPlugin, words }: ClusterSurface, output: Output): Promise<ExitStatus> {
  const typed = words.slice(1);
  const lines = candidates(completedOf(isPlugin, typed[0]), typed).map(
    ({ word, text }) => `${word}\t${text}\n`,
  );
  await output.bytes(lines.join(''));
  return EXIT.done;
}

/** `stevedore` is two tables of verbs, each with its own global options. */
function completedOf(isPlugin: boolean, first: string | undefined): Completed {
  const cluster = { globalOptions: CLUSTER_OPTIONS, otherPrograms: ASKING };
  if (isPlugin) return { ...cluster, verbs: [...CLUSTER_VERBS, ...PLUGIN_VERBS] };
  const isOfCluster = CLUSTER_VERBS.some(({ words: [word] }) => word === first);
  if (isOfCluster) return { ...cluster, verbs: CLUSTER_VERBS };
  const verbs = [...VERBS, ...CLUSTER_VERBS];
  const others = OTHER_PROGRAMS.filter(word => !verbs.some(({ words }) => words[0] === word));
  return { verbs, globalOptions: GLOBAL_OPTIONS, otherPrograms: others };
}
