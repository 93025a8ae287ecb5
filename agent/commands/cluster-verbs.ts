// The verbs that are about a cluster, in the order of help. A new one is a file and a row here.

import type { OptionRow } from '#engine/cli/verb.ts';
import type { ClusterVerb } from './cluster-verb.ts';
import { completion } from './complete-verb.ts';
import { diagnose } from './diagnose.ts';
import { moves } from './moves.ts';
import { preflight } from './preflight.ts';
import { status } from './status.ts';
import { why } from './why.ts';
import { volumeCat, volumeLs, volumeRestore } from './volume-verbs.ts';

/** Of both programs, `stevedore` and `kubectl stevedore`. */
export const CLUSTER_VERBS: readonly ClusterVerb[] = Object.freeze([
  status,
  preflight,
  moves,
  why,
  diagnose,
  completion,
]);

/** Of `kubectl stevedore` alone: `stevedore` has verbs of these names for any repository. */
export const PLUGIN_VERBS: readonly ClusterVerb[] = Object.freeze([
  volumeLs,
  volumeCat,
  volumeRestore,
]);

export const CLUSTER_OPTIONS: readonly OptionRow[] = Object.freeze([
  { flags: '--kubeconfig <file>', text: 'how to reach the API server (KUBECONFIG)' },
  { flags: '--context <name>', text: 'of the kubeconfig (its current one)' },
  { flags: '-o, --output <format>', text: 'text, or json: exactly one document (text)' },
]);

export const CLUSTER_EPILOGUE = `\
Ask the controller, each with --help:
  queue, nodes      what moves, what waits for what, and how nodes do
  annotations       what rules would annotate of pods, and why

Nothing of the cluster is changed by any of these.

Exit status:
  0 done   1 failed   2 wrong usage   3 done, with differences (listed)
`;
