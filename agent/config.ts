// What the agent is told: read-settings.ts with the agent's own table, and what only several
// settings together say.

import { type AgentConfig, INERT_FLAGS, SETTINGS } from './config-table.ts';
import {
  type ConfigOutcome,
  type ConfigSources,
  readSettings,
  requireNoProblems,
  type SettingsProgram,
  type Texts,
} from './read-settings.ts';

export type { ConfigSources };

const EPILOGUE = `\
Each has a variable and a key in the file as well: docs/configuration.md. A flag counts before a
variable, a variable before the file.

Examples:
  # in a DaemonSet, with NODE_NAME and VELERO_NAMESPACE from the pod's own fields
  $ stevedore node-agent server --node-agent-configmap=node-agent-config --cache-dir=/cache

  # beside a cluster, as a plain process on the node worker-1
  $ stevedore node-agent --kubeconfig ~/.kube/config --node-name worker-1 \\
      --host-pods /var/lib/kubelet/pods --log-format text

  # everything in a file
  $ stevedore node-agent --config /etc/stevedore/agent.yaml
`;

const PROGRAM: SettingsProgram<typeof SETTINGS> = {
  name: 'stevedore node-agent',
  summary:
    "Moves volumes of this node's pods into kopia repositories and back, for a Velero server.",
  epilogue: EPILOGUE,
  settings: SETTINGS,
  inertFlags: INERT_FLAGS,
};

/** @throws USAGE with all that is wrong; see requireNoProblems */
export function readConfig(sources: ConfigSources): ConfigOutcome<AgentConfig> {
  const words = behindStockWords(sources.words);
  const read = readSettings(PROGRAM, { ...sources, words });
  if (read.kind === 'text') return read;
  const { values: config, texts, problems } = read;
  if (texts.cacheLimit !== undefined && texts.cacheDir === undefined) {
    problems.push(`${texts.cacheLimit.what} is of no use without a directory; give --cache-dir`);
  }
  const { cacheFloor: floor, cacheCeiling: ceiling } = texts;
  if (floor && ceiling && Number(config.cacheFloor) > Number(config.cacheCeiling)) {
    problems.push(`${floor.what} is above ${ceiling.what}; give no floor above the ceiling`);
  }
  if (config.controller) {
    problems.push(...controllerProblems(texts, config.controllerPlainText));
  }
  requireNoProblems(problems);
  return { kind: 'config', config, inert: read.inert };
}

/** A token must not be shown to whoever answers. */
function controllerProblems({ controller, controllerCaFile }: Texts, isPlainText: unknown) {
  if (isPlainText === false && controllerCaFile === undefined) {
    return [`${controller?.what} needs certificates to know it by; give --controller-ca-file`];
  }
  if (isPlainText === true && controllerCaFile !== undefined) {
    return [`${controllerCaFile.what} is of no use with --controller-plain-text; give one of them`];
  }
  return [];
}

/** `velero node-agent server --flags` is how stock's DaemonSet begins. */
function behindStockWords(words: readonly string[]): readonly string[] {
  const rest = words[0] === 'node-agent' ? words.slice(1) : words;
  return rest[0] === 'server' ? rest.slice(1) : rest;
}
