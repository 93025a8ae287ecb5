// Why a move waits, has failed or is not done, in sentences. Pure: what was read of the cluster
// comes in as facts.

import { codeIn } from '#agent/moves/move-message.ts';
import { formatDuration } from '#engine/cli/quantity.ts';
import type { ListedMove } from './listed-moves.ts';

export interface Sentence {
  readonly text: string;
  readonly advice?: string;
}

/** Undefined: it was not looked at, or may not be. */
export interface MoveFacts {
  readonly move: ListedMove;
  /** Velero's. */
  readonly namespace: string;
  readonly nodeState: 'ready' | 'not ready' | 'gone' | undefined;
  readonly agentState: 'ready' | 'not ready' | 'none' | undefined;
  readonly agentPod: string | undefined;
  readonly podPhase: string | undefined;
  readonly locationPhase: string | undefined;
  readonly locationMessage: string;
  readonly repositoryPhase: string | undefined;
  readonly repositoryMessage: string;
  readonly isRestic: boolean;
  /** Messages of its Events, the newest first. */
  readonly events: readonly string[];
}

export function explainMove(facts: MoveFacts): Sentence[] {
  const { move, events } = facts;
  const state = stateOf(facts);
  // What surrounds it explains nothing about what has gone well.
  const around = move.phase === 'Completed' ? [] : surroundings(facts);
  const said = events.map(text => ({ text: `An event says: ${text}` }));
  return [...state, ...around, ...said];
}

/** What to do about a move that is Failed or Canceled. */
export function adviceOfFailure({ phase, name, message }: ListedMove, namespace: string): string {
  if (phase === 'Canceled') return 'run the backup or restore again if it is still wanted';
  const code = codeIn(message);
  if (code !== '') return `docs/errors.md#${code.toLowerCase()}`;
  return `kubectl -n ${namespace} logs -l role=node-agent --tail=-1 | grep ${name}`;
}

function stateOf({ move, namespace }: MoveFacts): Sentence[] {
  const { phase, message, node, isOver, isCanceled } = move;
  const age = formatDuration(move.ageMs);
  const on = node === '' ? '' : ` on node ${node}`;
  if (phase === 'Completed') return [{ text: `It has completed${on}: nothing is the matter.` }];
  if (phase === 'Failed') {
    const text = `It has failed${on}: ${message || 'no message was left'}`;
    return [{ text, advice: adviceOfFailure(move, namespace) }];
  }
  if (phase === 'Canceled') {
    const text = `It was canceled${on}${message === '' ? '' : `: ${message}`}`;
    return [{ text, advice: adviceOfFailure(move, namespace) }];
  }
  const canceled = isCanceled && !isOver ? [{ text: 'It was told to stop, and will soon.' }] : [];
  return [...canceled, waitingState(move, age, on)];
}

function waitingState(move: ListedMove, age: string, on: string): Sentence {
  switch (move.phase) {
    case 'New':
      return {
        text: `It was ordered ${age} ago and no agent has accepted it yet${on}.`,
        advice: 'without a reason below it waits for the agent to see it, or for other moves first',
      };
    case 'Accepted':
    case 'Prepared':
      return {
        text: `It was ordered ${age} ago, is ${move.phase}${on}, and waits for its turn.`,
        advice: 'kubectl stevedore queue tells its place and what it waits for',
      };
    case 'InProgress': {
      const { bytesDone = 0, bytesTotal = 0, tookMs = 0 } = move;
      const share = bytesTotal > 0 ? `${Math.floor((bytesDone * 100) / bytesTotal)} % of it, ` : '';
      const time = formatDuration(tookMs);
      if (bytesDone > 0) return { text: `It moves${on}: ${share}for ${time}.` };
      const advice = 'if that lasts, look at the log of the agent';
      return { text: `It has begun${on} ${time} ago and has moved nothing yet.`, advice };
    }
    default:
      return { text: `It is ${move.phase}${on}, ordered ${age} ago.` };
  }
}

function surroundings(facts: MoveFacts): Sentence[] {
  const { move, namespace } = facts;
  const sentences: Sentence[] = [];
  const { node, location } = move;
  if (facts.isRestic) {
    const advice = "only Velero's own agent restores these";
    sentences.push({ text: 'It is a move by restic, which Stevedore does not make.', advice });
  }
  if (facts.nodeState === 'gone') {
    const advice = move.isOver
      ? 'back it up again where it runs now'
      : 'the controller ends such moves; without one delete the move, or the backup';
    sentences.push({ text: `The node ${node} is not in the cluster any more.`, advice });
  }
  if (facts.nodeState === 'not ready') {
    const advice = `kubectl describe node ${node}`;
    sentences.push({ text: `The node ${node} is not ready.`, advice });
  }
  if (facts.agentState === 'none') {
    const advice = `look at tolerations and affinity of DaemonSet ${namespace}/node-agent`;
    sentences.push({ text: `There is no agent on node ${node}.`, advice });
  }
  if (facts.agentState === 'not ready') {
    const advice = `kubectl -n ${namespace} describe pod ${facts.agentPod ?? '-l role=node-agent'}`;
    sentences.push({ text: `The agent on node ${node} is not ready.`, advice });
  }
  if (facts.podPhase === 'gone') {
    const text = `The pod of ${move.namespace}/${move.volume} is not there any more.`;
    sentences.push({ text, advice: 'back it up where it runs now' });
  } else if (facts.podPhase !== undefined && facts.podPhase !== 'Running') {
    const text = `The pod of ${move.namespace}/${move.volume} is ${facts.podPhase}.`;
    const isRestore = move.kind === 'pvr';
    const advice = isRestore ? 'a restore begins when its init container runs' : 'let it run first';
    sentences.push({ text, advice: `${advice}; kubectl -n ${move.namespace} get events` });
  }
  return [...sentences, ...storageSentences(facts, location)];
}

function storageSentences(facts: MoveFacts, location: string): Sentence[] {
  const { locationPhase, locationMessage, repositoryPhase, repositoryMessage } = facts;
  const sentences: Sentence[] = [];
  if (locationPhase === 'gone') {
    const text = `The storage location ${location} is not there.`;
    sentences.push({ text, advice: 'velero backup-location get' });
  } else if (locationPhase !== undefined && locationPhase !== 'Available') {
    const why = locationMessage === '' ? '' : `: ${locationMessage}`;
    const text = `The storage location ${location} is ${locationPhase}${why}`;
    sentences.push({ text, advice: 'stevedore preflight looks at it from here' });
  }
  if (repositoryPhase !== undefined && repositoryPhase !== 'Ready') {
    const why = repositoryMessage === '' ? '' : `: ${repositoryMessage}`;
    const text = `The repository of this namespace is ${repositoryPhase || 'not ready yet'}${why}`;
    sentences.push({ text, advice: 'velero repo get, and the log of the Velero server' });
  }
  return sentences;
}
