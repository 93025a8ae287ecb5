// stevedore moves

import { EXIT } from '#engine/cli/exit-status.ts';
import { isSet, optionalText, usageError } from '#engine/cli/option-values.ts';
import { parseObjectName } from '#agent/config-values.ts';
import type { ClusterVerb } from './cluster-verb.ts';
import { type ListedMove, listMoves } from './listed-moves.ts';
import { movesText, unseenText } from './moves-report.ts';
import { givenNamespace, veleroNamespace } from './velero-namespace.ts';

/** Ended moves are shown for so long; --all shows all there are. */
const RECENT_MS = 3_600_000;

export const moves: ClusterVerb = Object.freeze({
  words: ['moves'],
  operands: '',
  summary: 'show the moves of volumes that the cluster knows of',
  description:
    'Lists PodVolumeBackups, PodVolumeRestores, DataUploads and DataDownloads: what is not over, ' +
    'and what has ended within the last hour. It asks the API server alone, so it works with ' +
    "Velero's own agents and without a controller. The rate is the average since the beginning.",
  options: [
    { flags: '-n, --namespace <name>', text: 'only of pods or claims of this namespace' },
    { flags: '-A, --all', text: 'whatever has ended as well, however long ago' },
    { flags: '--node <name>', text: 'only on this node' },
    { flags: '--failed', text: 'only what failed or was canceled' },
    { flags: '--velero-namespace <name>', text: "Velero's namespace (VELERO_NAMESPACE, velero)" },
  ],
  examples: [
    { command: 'stevedore moves', text: 'what moves now, and what has just ended' },
    { command: 'stevedore moves -n shop --all', text: 'everything of the volumes of a namespace' },
    {
      command: "stevedore moves --failed -A -o json | jq -r '.moves[] | .message'",
      text: 'why moves failed',
    },
  ],
  prepare: (_operands, options) => {
    const namespace = givenNamespace(options);
    const velero = givenNamespace(options, 'veleroNamespace');
    const node = optionalText(options, 'node');
    if (node !== undefined) parseObjectName(node, '--node');
    const [isAll, isFailed] = [isSet(options, 'all'), isSet(options, 'failed')];
    if (options.node === '') throw usageError('--node is empty; give the name of a node');
    return async session => {
      const nowMs = session.clock.now();
      const { signal, output } = session;
      const place = veleroNamespace(velero, session);
      const { moves: known, unseen } = await session.withCluster(({ kube }) =>
        listMoves(kube, place, { nowMs, signal }),
      );
      const isAsked = (move: ListedMove) =>
        (namespace === undefined || move.namespace === namespace) &&
        (node === undefined || move.node === node) &&
        (!isFailed || (move.isOver && move.phase !== 'Completed'));
      const asked = known.filter(isAsked);
      const shown = isAll ? asked : asked.filter(move => isCurrent(move, nowMs));
      const sorted = shown.toSorted(inOrder);
      const hiddenCount = asked.length - shown.length;
      await output.report(
        { moves: sorted, unseen },
        () => movesText(sorted, hiddenCount) + unseenText(unseen),
      );
      return EXIT.done;
    };
  },
} satisfies ClusterVerb);

function isCurrent({ isOver, endedMs }: ListedMove, nowMs: number): boolean {
  return !isOver || nowMs - (endedMs ?? 0) < RECENT_MS;
}

/** What moves before what waits before what is over; of each the oldest order first. */
function inOrder(one: ListedMove, other: ListedMove): number {
  const rank = ({ isOver, tookMs }: ListedMove) => (isOver ? 2 : tookMs === undefined ? 1 : 0);
  return rank(one) - rank(other) || other.ageMs - one.ageMs || (one.name < other.name ? -1 : 1);
}
