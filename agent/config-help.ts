// `stevedore node-agent --help`: the table of settings as a program that commander can explain.

import type { FlagProgram } from '#engine/cli/command-line.ts';
import { INERT_FLAGS, type Setting, SETTINGS } from './config-table.ts';

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

export function configHelp(columns: number): FlagProgram {
  const rows: readonly Setting<unknown>[] = Object.values(SETTINGS);
  return {
    name: 'stevedore node-agent',
    summary:
      "Moves volumes of this node's pods into kopia repositories and back, for a Velero server.",
    options: [
      ...rows.map(({ flags, text, initial }) => ({
        flags,
        text: initial === undefined ? text : `${text} (${initial})`,
      })),
      { flags: '--config <file>', text: 'YAML with the settings (STEVEDORE_CONFIG)' },
      ...INERT_FLAGS.map(flags => ({ flags, text: "accepted as stock's, without effect" })),
    ],
    epilogue: EPILOGUE,
    columns,
  };
}
