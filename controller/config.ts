// What the controller is told: its table, and what only several settings together say.

import {
  type ConfigOutcome,
  type ConfigSources,
  type Given,
  readSettings,
  requireNoProblems,
  type SettingsProgram,
} from '#agent/read-settings.ts';
import { isLoopback } from '#proto/loopback.ts';
import { type ControllerConfig, SETTINGS } from './config-table.ts';

const EPILOGUE = `\
Each has a variable and a key in the file as well: docs/controller.md. A flag counts before a
variable, a variable before the file.

Examples:
  # in a Deployment, with a Secret of cert-manager's
  $ stevedore controller --tls-dir=/tls --cluster-slots=8

  # beside a cluster, on one machine
  $ stevedore controller --kubeconfig ~/.kube/config --plaintext --listen-address 127.0.0.1:8443 \\
      --log-format text

  # everything in a file
  $ stevedore controller --config /etc/stevedore/controller.yaml
`;

const PROGRAM: SettingsProgram<typeof SETTINGS> = {
  name: 'stevedore controller',
  summary: 'Says which volumes of a cluster move, when and how fast, to the agents on its nodes.',
  epilogue: EPILOGUE,
  settings: SETTINGS,
};

/** @throws USAGE with all that is wrong; see requireNoProblems */
export function readConfig(sources: ConfigSources): ConfigOutcome<ControllerConfig> {
  const words = sources.words[0] === 'controller' ? sources.words.slice(1) : sources.words;
  const read = readSettings(PROGRAM, { ...sources, words });
  if (read.kind === 'text') return read;
  const { values: config, texts, problems } = read;
  problems.push(...trustProblems(config, texts));
  requireNoProblems(problems);
  return { kind: 'config', config, inert: read.inert };
}

function trustProblems(
  { plaintext, tlsDir, listenAddress }: ControllerConfig,
  texts: Readonly<Partial<Record<string, Given>>>,
): string[] {
  if (!plaintext) {
    // One that was given and cannot be used has been told of.
    if (tlsDir !== undefined || texts.tlsDir !== undefined) return [];
    return ['there is no certificate; give --tls-dir, or --plaintext at a loopback address'];
  }
  const what = texts.plaintext?.what ?? '--plaintext';
  const problems: string[] = [];
  if (tlsDir !== undefined) problems.push(`${what} and --tls-dir exclude each other; give one`);
  const host: string | undefined = listenAddress?.host;
  if (listenAddress !== undefined && (host === undefined || !isLoopback(host))) {
    const where = texts.listenAddress?.text ?? SETTINGS.listenAddress.initial ?? '';
    problems.push(
      `${what} would show tokens to the network at ${where}; ` +
        'listen at a loopback address, such as --listen-address 127.0.0.1:8443',
    );
  }
  return problems;
}
