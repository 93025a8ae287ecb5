// One run of `stevedore queue` or `stevedore nodes`, from words to exit status, with the process
// handed in.

import { type ConfigSources, problemLines } from '#agent/read-settings.ts';
import type { ErrorCode } from '#engine/base/error-codes.ts';
import { isEngineError } from '#engine/base/errors.ts';
import { errorText } from '#engine/cli/error-report.ts';
import { EXIT, type ExitStatus } from '#engine/cli/exit-status.ts';
import type { ProcessSurface } from '#engine/cli/process-surface.ts';
import { runToExit } from '#engine/cli/run-to-exit.ts';
import type { ClusterOverview } from '#proto/overview-messages.ts';
import { askController } from './ask-controller.ts';
import { type CommandHelp, readCommand } from './command-settings.ts';
import { nodesDocument, nodesText } from './nodes-report.ts';
import { queueDocument, queueText } from './queue-report.ts';

export type CommandSurface = ConfigSources &
  Pick<ProcessSurface, 'stdout' | 'say' | 'signals' | 'clock'>;

interface Command extends CommandHelp {
  readonly text: (overview: ClusterOverview) => string;
  readonly document: (overview: ClusterOverview) => object;
}

const COMMANDS: Readonly<Record<string, Command>> = Object.freeze({
  queue: {
    name: 'stevedore queue',
    summary: 'Shows which volumes of the cluster move, and which wait for what.',
    examples: [
      ['from a pod of an agent', 'kubectl -n velero exec ds/node-agent -- stevedore queue'],
      ['what waits for longest', "stevedore queue -o json | jq '.waiting | max_by(.waitedMs)'"],
    ],
    text: queueText,
    document: queueDocument,
  },
  nodes: {
    name: 'stevedore nodes',
    summary: 'Shows how the nodes do that have an agent: sessions, slots, caches and shares.',
    examples: [
      ['from a pod of an agent', 'kubectl -n velero exec ds/node-agent -- stevedore nodes'],
      [
        'nodes that the controller does not hear from',
        "stevedore nodes -o json | jq '.nodes[] | select(.isConnected | not) | .name'",
      ],
    ],
    text: nodesText,
    document: nodesDocument,
  },
});

/** What to do about it from here. */
const HINTS: Readonly<Partial<Record<ErrorCode, string>>> = Object.freeze({
  COORDINATOR_UNAVAILABLE: 'look at --controller, the tunnel and the pods of the controller',
  COORDINATOR_TIMEOUT: 'look at --controller, the tunnel and the network policy',
  COORDINATOR_STANDBY: 'ask the one that leads: kubectl port-forward pod/NAME 8443',
  COORDINATOR_TLS_INVALID: 'look at --controller-ca-file, and at --controller-server-name',
  COORDINATOR_UNAUTHENTICATED:
    'look at --controller-token-file; kubectl create token NAME --audience stevedore.io/controller',
  COORDINATOR_FORBIDDEN: 'docs/controller.md says which right it takes',
  KUBE_FORBIDDEN: 'ask for that right, or name the controller by --controller; see --help',
  KUBE_CONFIG_INVALID: 'give --kubeconfig FILE or set KUBECONFIG, or name it by --controller',
  KUBE_UNAVAILABLE: 'look at --kubeconfig and --context, and whether kubectl version answers',
  KUBE_TIMEOUT: 'look at --kubeconfig and --context, and whether kubectl version answers',
  COORDINATOR_VERSION_UNSUPPORTED: 'upgrade the controller; it knows nothing of this command',
});

/** Never rejects: a failure has been shown and is in the status. The first word is the command. */
export async function runCommand(surface: CommandSurface): Promise<ExitStatus> {
  const [word = '', ...words] = surface.words;
  const failed = (error: unknown) => failureText(word, error);
  return runToExit(surface, failed, async (output, signal) => {
    const command = COMMANDS[word];
    const read = readCommand(command, { ...surface, words });
    if (read.kind === 'text') await output.bytes(read.text);
    else {
      const overview = await askController(read.settings, { clock: surface.clock, signal });
      await output.report(command.document(overview), () => command.text(overview));
    }
    return EXIT.done;
  });
}

function failureText(word: string, error: unknown): string {
  const problems = problemLines(error);
  if (problems !== undefined) return `stevedore ${word}:\n${problems}  try: --help\n`;
  return errorText(error, { hint: isEngineError(error) ? HINTS[error.code] : undefined });
}
