// `stevedore status` as one screen, for a person who was woken: what needs a look first, then how
// each part stands, then what moves, waits and has failed, and what was not seen.

import { counted, formatBytes, formatShare } from '#engine/cli/quantity.ts';
import { type Column, renderUsedColumns } from '#engine/cli/table.ts';
import { safeText } from '#engine/cli/terminal-text.ts';
import { CONTROLLER_PODS } from '#controller/commands/find-controller.ts';
import type { ListedMove } from './listed-moves.ts';
import { adviceOfFailure } from './explain-move.ts';
import { durationText, MOVE_COLUMNS } from './moves-report.ts';
import { type NodeCache, shareOf } from './node-caches.ts';
import { wrapped } from './preflight-report.ts';
import type { BadObject, StatusFacts, StorageState } from './status-facts.ts';
import type { WaitingMove } from './waiting-moves.ts';

/** Of each list, so that all of it is on one screen. */
const ROWS_MAX = 8;
const CACHES_MAX = 5;
/** Nearer to its limit than that a cache makes room all the time. */
const CACHE_SHARE_NEAR = 0.95;
const COLUMNS_MIN = 60;

interface Line {
  readonly part: string;
  readonly text: string;
  readonly advice?: string | undefined;
  /** It is what somebody has to look at. */
  readonly isTrouble?: boolean;
}

export function statusText(facts: StatusFacts, columns: number): string {
  const room = Math.max(COLUMNS_MIN, columns);
  const lines = [
    ...agentLines(facts),
    ...controllerLines(facts),
    ...storageLines(facts),
    ...failureLines(facts),
    ...cacheLines(facts),
  ];
  const count = lines.filter(({ isTrouble }) => isTrouble === true).length;
  const what = count === 0 ? 'nothing needs a look' : `${counted(count, 'thing')} to look at`;
  const part = facts.unseen.length === 0 ? '' : ', of what was seen';
  return [
    `Namespace ${safeText(facts.namespace)}: ${what}${part}\n`,
    lines.flatMap(line => shown(line, room)).join(''),
    table('Moving', MOVE_COLUMNS, facts.running),
    table('Waiting', WAITING, facts.waiting),
    waitingAdvice(facts.waiting, room),
    table('Caches, the nearest to their limits first', CACHES, facts.caches, CACHES_MAX),
    unseenPart(facts, room),
  ]
    .filter(text => text !== '')
    .join('\n');
}

function shown({ part, text, advice, isTrouble }: Line, room: number): string[] {
  const mark = isTrouble === true ? '!' : ' ';
  const lead = `${mark} ${part.padEnd(PART_COLUMNS)}`;
  const indent = ' '.repeat(lead.length);
  const told = [
    ...wrapped(safeText(text), room - lead.length),
    ...(advice === undefined ? [] : wrapped(`-> ${safeText(advice)}`, room - lead.length)),
  ];
  return told.map((line, index) => `${index === 0 ? lead : indent}${line}\n`);
}

const PART_COLUMNS = 14;

function agentLines({ agents, agentsNotReady = [], namespace }: StatusFacts): Line[] {
  const part = 'agents';
  if (agents?.length === 0) {
    const text = 'there is no DaemonSet node-agent: volumes of pods are not backed up';
    return [{ part, text, advice: 'stevedore preflight', isTrouble: true }];
  }
  const sets = (agents ?? []).map(({ name, whose, version, wanted, ready }) => {
    const text = `${name} is ${whose} ${version}, ${ready} of ${wanted} ready`;
    return { part, text, isTrouble: ready < wanted || wanted === 0 };
  });
  const pods = agentsNotReady.slice(0, ROWS_MAX).map(({ name, node, why }) => {
    const advice = `kubectl -n ${namespace} describe pod ${name}, and its log`;
    return { part: '', text: `${name} on ${node || 'no node'}: ${why}`, advice };
  });
  return [...sets, ...pods, ...more(agentsNotReady.length)];
}

function controllerLines({ controller, namespace }: StatusFacts): Line[] {
  const part = 'controller';
  if (controller === undefined) return [];
  if (controller === null) {
    return [{ part, text: 'there is none; each node goes by its own limits' }];
  }
  const { version, wanted, ready, leader, isStarting } = controller;
  const who = leader === undefined ? '' : `, ${leader} leads`;
  const starts = isStarting === true ? ' and has just started' : '';
  const text = `version ${version}, ${ready} of ${wanted} ready${who}${starts}`;
  if (ready >= wanted) return [{ part, text }];
  const advice = `kubectl -n ${namespace} describe pods -l ${CONTROLLER_PODS}`;
  return [{ part, text, advice, isTrouble: ready === 0 }];
}

function storageLines({ locations, repositories }: StatusFacts): Line[] {
  const lines = (part: string, state: StorageState | undefined, advice: string): Line[] => {
    if (state === undefined) return [];
    if (state.bad.length === 0) return [{ part, text: allText(part, state.count) }];
    const bad = state.bad.slice(0, ROWS_MAX).map(each => {
      return { part, text: badText(each), advice, isTrouble: true };
    });
    return [...bad, ...more(state.bad.length)];
  };
  const none = locations?.count === 0;
  return [
    ...(none
      ? [
          {
            part: 'locations',
            text: 'there is none',
            advice: 'velero backup-location create',
            isTrouble: true,
          },
        ]
      : lines('locations', locations, 'velero backup-location get; the log of the Velero server')),
    ...lines('repositories', repositories, 'velero repo get; the log of the Velero server'),
  ];
}

function allText(part: string, count: number): string {
  const good = part === 'locations' ? 'available' : 'ready';
  if (count === 0) return 'there is none yet';
  return count === 1 ? `the one there is ${good}` : `all ${count} are ${good}`;
}

function badText({ name, phase, message }: BadObject): string {
  return `${name} is ${phase}${message === '' ? '' : `: ${message}`}`;
}

function failureLines({ failed, namespace }: StatusFacts): Line[] {
  const part = 'failed';
  if (failed === undefined) return [];
  if (failed.length === 0) return [{ part, text: 'no move within a day' }];
  const all = failed.slice(0, ROWS_MAX).map((move, index) => {
    const { kind, name, namespace: of, volume, phase, message } = move;
    const why = message === '' ? 'no message was left' : message;
    const text = `${kind}/${name} (${of}/${volume}) is ${phase}: ${why}`;
    return {
      part: index === 0 ? part : '',
      text,
      advice: adviceOfFailure(move, namespace),
      isTrouble: phase === 'Failed',
    };
  });
  return [...all, ...more(failed.length, 'kubectl stevedore moves --failed -A')];
}

function cacheLines({ caches = [] }: StatusFacts): Line[] {
  const near = caches.filter(cache => shareOf(cache) >= CACHE_SHARE_NEAR);
  if (near.length === 0) return [];
  const names = near.slice(0, ROWS_MAX).map(({ node }) => node);
  const others = near.length > names.length ? ` and ${near.length - names.length} more` : '';
  const text = `at their limits on ${names.join(', ')}${others}`;
  return [{ part: 'caches', text, advice: 'docs/cache.md' }];
}

function more(count: number, where?: string): Line[] {
  if (count <= ROWS_MAX) return [];
  const text = `and ${count - ROWS_MAX} more${where === undefined ? '' : `: ${where}`}`;
  return [{ part: '', text }];
}

const WAITING: readonly Column<WaitingMove>[] = [
  ...MOVE_COLUMNS.filter(({ title }) => ['move', 'volume', 'node', 'phase'].includes(title)),
  { title: 'for', isRight: true, text: ({ ageMs }) => durationText(ageMs) },
  { title: 'because', text: ({ why }) => safeText(why ?? '') },
];

const CACHES: readonly Column<NodeCache>[] = [
  { title: 'node', text: ({ node }) => safeText(node) },
  { title: 'used', isRight: true, text: ({ usedBytes }) => formatBytes(usedBytes) },
  { title: 'of', isRight: true, text: ({ limitBytes }) => formatBytes(limitBytes) },
  { title: '', isRight: true, text: cacheShareText },
  { title: 'disk free', isRight: true, text: diskText },
];

function cacheShareText({ usedBytes, limitBytes }: NodeCache): string {
  return limitBytes > 0 ? formatShare(usedBytes, limitBytes) : 'no room';
}

function diskText({ diskFreeBytes }: NodeCache): string {
  return diskFreeBytes === undefined ? '' : formatBytes(diskFreeBytes);
}

function table<Row>(
  title: string,
  columns: readonly Column<Row>[],
  rows: readonly Row[] | undefined,
  rowsMax = ROWS_MAX,
): string {
  if (rows === undefined || rows.length === 0) return '';
  const rest = rows.length - rowsMax;
  const tail = rest > 0 ? `and ${rest} more\n` : '';
  return `${title}\n${renderUsedColumns(columns, rows.slice(0, rowsMax))}${tail}`;
}

/** Each advice once. */
function waitingAdvice(waiting: readonly WaitingMove[] | undefined, room: number): string {
  const all = (waiting ?? []).slice(0, ROWS_MAX).map(({ advice }) => advice ?? '');
  const told = [...new Set(all)].filter(advice => advice !== '');
  return told
    .flatMap(each => wrapped(`-> ${safeText(each)}`, room))
    .map(line => `${line}\n`)
    .join('');
}

function unseenPart({ unseen }: StatusFacts, room: number): string {
  if (unseen.length === 0) return '';
  const lines = unseen.flatMap(({ what, why }) => wrapped(safeText(`${what}: ${why}`), room - 2));
  return `Not seen\n${lines.map(line => `  ${line}\n`).join('')}`;
}

/** Everything, and nothing of how it is laid out. */
export function statusDocument(facts: StatusFacts): object {
  const failed = facts.failed?.map((move: ListedMove) => {
    return { ...move, advice: adviceOfFailure(move, facts.namespace) };
  });
  return { ...facts, failed };
}
