// Why moves wait, and how fast others go on: as the controller says, where it can be asked; else
// why by what is around a move (`why`), and how fast on average.

import { causeText } from '#agent/coordinator/wait-text.ts';
import { isEngineError } from '#engine/base/errors.ts';
import type { MoveObject } from '#agent/moves/objects/move-object.ts';
import type { ClusterOverview } from '#proto/overview-messages.ts';
import { explainMove } from './explain-move.ts';
import { type ListedMove, MOVE_KINDS } from './listed-moves.ts';
import { type FactParts, factsOf } from './move-facts.ts';

export interface WaitingMove extends ListedMove {
  /** Undefined where nobody has looked: there are too many. */
  readonly why: string | undefined;
  readonly advice: string | undefined;
}

/** Each takes some six requests. */
const EXPLAINED_MAX = 5;

/** `PodVolumeBackup/daily-1`, as agents name it to the controller. */
function keyOf({ kind, name }: ListedMove): string {
  return `${rowOf(kind)?.resource.kind ?? ''}/${name}`;
}

function rowOf(kind: ListedMove['kind']) {
  return MOVE_KINDS.find(row => row.kind === kind);
}

/** The rate of the last seconds in place of the average. */
export function withRates(
  moves: readonly ListedMove[],
  overview: ClusterOverview | undefined,
): readonly ListedMove[] {
  const running = new Map(overview?.running.map(each => [each.volume.move, each.progress]));
  return moves.map(move => {
    const progress = running.get(keyOf(move));
    if (progress === undefined || move.isOver) return move;
    const { doneBytes, totalBytes, doneBytesPerSecond } = progress;
    return {
      ...move,
      bytesDone: doneBytes,
      bytesTotal: totalBytes ?? move.bytesTotal,
      bytesPerSecond: doneBytesPerSecond ?? move.bytesPerSecond,
    };
  });
}

type Explanation = Pick<WaitingMove, 'why' | 'advice'>;
type LookAtMove = (
  what: string,
  look: () => Promise<Explanation>,
) => Promise<Explanation | undefined>;

const NOTHING: Explanation = Object.freeze({ why: undefined, advice: undefined });

/**
 * Those that the controller names in its order, then the oldest order first.
 * @param saw tells of one that nothing can be found out about
 */
export async function waitingMoves(
  parts: FactParts,
  moves: readonly ListedMove[],
  overview: ClusterOverview | undefined,
  saw: LookAtMove,
): Promise<readonly WaitingMove[]> {
  const places = new Map(overview?.waiting.map(each => [each.volume.move, each]));
  const placeOf = (move: ListedMove) => places.get(keyOf(move))?.wait.place ?? Infinity;
  const inOrder = moves.toSorted((one, other) => {
    const [first, second] = [placeOf(one), placeOf(other)];
    return first === second ? other.ageMs - one.ageMs : first - second;
  });
  let explainedCount = 0;
  const found: WaitingMove[] = [];
  for (const move of inOrder) {
    const wait = places.get(keyOf(move))?.wait;
    if (wait !== undefined) {
      const why = `place ${wait.place} of the queue: ${causeText(wait)}`;
      found.push({ ...move, why, advice: undefined });
    } else if (explainedCount < EXPLAINED_MAX) {
      explainedCount += 1;
      const what = `why ${move.kind}/${move.name} waits`;
      found.push({ ...move, ...((await saw(what, () => explained(parts, move))) ?? NOTHING) });
    } else found.push({ ...move, ...NOTHING });
  }
  return found;
}

/** What is the matter around it, or else how it stands. */
async function explained(parts: FactParts, move: ListedMove): Promise<Explanation> {
  const row = rowOf(move.kind);
  const name = { namespace: parts.namespace, name: move.name };
  if (row === undefined) return NOTHING;
  let object: MoveObject;
  try {
    object = await parts.kube.get<MoveObject>(row.resource, name, { signal: parts.signal });
  } catch (error) {
    // It may be gone by now.
    if (!isEngineError(error, 'KUBE_NOT_FOUND', 'KUBE_FORBIDDEN')) throw error;
    return NOTHING;
  }
  const [state, ...around] = explainMove(await factsOf(parts, move, object));
  const first = around[0] ?? state;
  return first === undefined ? NOTHING : { why: first.text, advice: first.advice };
}
