// One run of a verb about a cluster, from words to exit status, with the process handed in.

import { isEngineError } from '#engine/base/errors.ts';
import type { Program } from '#engine/cli/command-line.ts';
import { errorText } from '#engine/cli/error-report.ts';
import { EXIT, type ExitStatus } from '#engine/cli/exit-status.ts';
import { optionalText, type OptionValues } from '#engine/cli/option-values.ts';
import type { Output } from '#engine/cli/output.ts';
import type { ProcessSurface } from '#engine/cli/process-surface.ts';
import { runToExit, verbAskedFor } from '#engine/cli/run-to-exit.ts';
import type { Surroundings } from '#engine/cli/verb.ts';
import { GLOBAL_OPTIONS, OTHER_PROGRAMS, VERBS } from '#engine/cli/verbs.ts';
import type { ErrorCode } from '#engine/base/error-codes.ts';
import { HttpKubeClient } from '#kube/http-client.ts';
import { connect } from '#kube/kube-config.ts';
import { candidates, type Completed } from './completion.ts';
import type { ClusterSession, ClusterVerb } from './cluster-verb.ts';
import { CLUSTER_EPILOGUE, CLUSTER_OPTIONS, CLUSTER_VERBS, PLUGIN_VERBS } from './cluster-verbs.ts';

export interface ClusterSurface extends ProcessSurface {
  /** It was called as `kubectl stevedore`. */
  readonly isPlugin: boolean;
  readonly version: string;
  readonly surroundings: Surroundings;
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
  const hasStack = surface.environment.STEVEDORE_DEBUG === '1';
  const failureText = (error: unknown) =>
    errorText(error, { hint: isEngineError(error) ? HINTS[error.code] : undefined, hasStack });
  return runToExit(surface, failureText, (output, signal) =>
    surface.words[0] === '__complete'
      ? complete(surface, output)
      : dispatch(surface, output, signal),
  );
}

async function dispatch(
  surface: ClusterSurface,
  output: Output,
  signal: AbortSignal,
): Promise<ExitStatus> {
  const asked = await verbAskedFor(programOf(surface), surface.words, output);
  if (asked === undefined) return EXIT.done;
  const { verb, operands, options } = asked;
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
