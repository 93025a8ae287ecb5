// What a verb is that is about a cluster: a row of the command line, and a job that reads the API
// server. Preparing is pure and reports wrong usage, as for the verbs of the engine (verb.ts).

import type { Clock } from '#engine/base/clock.ts';
import type { ExitStatus } from '#engine/cli/exit-status.ts';
import type { OptionValues } from '#engine/cli/option-values.ts';
import type { Output } from '#engine/cli/output.ts';
import type { OptionRow, Surroundings, VerbRow } from '#engine/cli/verb.ts';
import type { ConnectOptions } from '#kube/kube-config.ts';
import type { KubeConnection } from '#kube/connection.ts';
import type { KubeClient } from '#kube/kube-client.ts';

/** Nothing of the cluster is changed by what has this alone. */
export type ReadingClient = Pick<KubeClient, 'get' | 'list' | 'read'>;

/** A cluster that can be asked. */
export interface Cluster {
  readonly kube: ReadingClient;
  /** For questions, which the API takes as objects that it does not keep: reviews and tokens. */
  readonly ask: Pick<KubeClient, 'create'>;
  readonly connection: KubeConnection;
}

export interface ClusterSession {
  readonly output: Output;
  readonly signal: AbortSignal;
  readonly clock: Clock;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Writes to standard error. */
  readonly say: (text: string) => void;
  readonly columns: number;
  /** How a cluster is found. */
  readonly connectOptions: ConnectOptions;
  /** Connects to the cluster that the options name, for as long as `work` runs. */
  readonly withCluster: <Result>(work: (cluster: Cluster) => Promise<Result>) => Promise<Result>;
}

export interface ClusterVerb extends VerbRow {
  /** @throws USAGE */
  readonly prepare: (
    operands: readonly string[],
    options: OptionValues,
    surroundings: Surroundings,
  ) => (session: ClusterSession) => Promise<ExitStatus>;
}

export const VELERO_NAMESPACE: OptionRow = Object.freeze({
  flags: '-n, --namespace <name>',
  text: "Velero's namespace (VELERO_NAMESPACE, velero)",
});
