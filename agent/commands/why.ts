// stevedore why OBJECT

import { EXIT } from '#engine/cli/exit-status.ts';
import { usageError } from '#engine/cli/option-values.ts';
import { safeText } from '#engine/cli/terminal-text.ts';
import { labelValue } from '#agent/moves/objects/label-value.ts';
import { type MoveObject, veleroResource } from '#agent/moves/objects/move-object.ts';
import { parseObjectName } from '#agent/config-values.ts';
import type { KubeObject } from '#kube/kube-object.ts';
import { type ClusterVerb, VELERO_NAMESPACE } from './cluster-verb.ts';
import { explainMove, type Sentence } from './explain-move.ts';
import { type ListedMove, listedMove, listIfKnown, MOVE_KINDS } from './listed-moves.ts';
import { type FactParts, factsOf } from './move-facts.ts';
import { wrapped } from './preflight-report.ts';
import { givenNamespace, veleroNamespace } from './velero-namespace.ts';

interface Explained {
  readonly object: string;
  readonly sentences: readonly Sentence[];
}

interface Asked {
  readonly kind: string;
  readonly name: string;
}

const RUNS = Object.freeze({
  backup: veleroResource('backups', 'Backup'),
  restore: veleroResource('restores', 'Restore'),
});
const KINDS = [...MOVE_KINDS.flatMap(({ names }) => names), ...Object.keys(RUNS)];
const MOVES_EXPLAINED_MAX = 10;

export const why: ClusterVerb = Object.freeze({
  words: ['why'],
  operands: '<object>',
  summary: 'say why a move, backup or restore waits, has failed or is not done',
  description:
    'Reads a move (pvb/NAME, pvr/NAME, du/NAME, dd/NAME), or all moves of backup/NAME or ' +
    'restore/NAME, and what is around it: its events, node, agent, pod, storage location and ' +
    'repository. Says in sentences what is the matter and what to do.',
  options: [VELERO_NAMESPACE],
  examples: [
    { command: 'stevedore why backup/daily-20261126', text: 'all that is not done of a backup' },
    { command: 'stevedore why pvb/daily-20261126-x7k2p', text: 'one move' },
  ],
  prepare: ([operand = ''], options) => {
    const asked = parseAsked(operand);
    const given = givenNamespace(options);
    return session =>
      session.withCluster(async ({ kube }) => {
        const { signal, output, columns, clock } = session;
        const parts = { kube, signal, namespace: veleroNamespace(given, session) };
        const explained = await explainAsked(parts, asked, clock.now());
        await output.report({ objects: explained }, () => textOf(explained, columns));
        return EXIT.done;
      });
  },
} satisfies ClusterVerb);

function parseAsked(operand: string): Asked {
  const [, kind = '', name = ''] = /^([A-Za-z]+)\/(.+)$/s.exec(operand) ?? [];
  const known = KINDS.find(
    each => each === kind.toLowerCase().replace(/^(backup|restore)s$/, '$1'),
  );
  if (known === undefined) {
    const kinds = [...MOVE_KINDS.map(each => each.kind), ...Object.keys(RUNS)];
    throw usageError(`'${operand}' names no object; give KIND/NAME, KIND of ${kinds.join(', ')}`);
  }
  return { kind: known, name: parseObjectName(name, 'the name') };
}

async function explainAsked(
  parts: FactParts,
  { kind, name }: Asked,
  nowMs: number,
): Promise<readonly Explained[]> {
  const row = MOVE_KINDS.find(({ names }) => names.includes(kind));
  if (row !== undefined) {
    const { kube, namespace, signal } = parts;
    const object = await kube.get<MoveObject>(row.resource, { namespace, name }, { signal });
    const move = listedMove(row.kind, object, nowMs);
    return [await explained(parts, move, object)];
  }
  return await explainRun(parts, { kind, name }, nowMs);
}

async function explained(parts: FactParts, move: ListedMove, object: MoveObject) {
  const facts = await factsOf(parts, move, object);
  return {
    object: `${move.kind}/${move.name} (${move.namespace}/${move.volume})`,
    sentences: explainMove(facts),
  };
}

type Run = KubeObject & {
  readonly status?: {
    readonly phase?: string;
    readonly failureReason?: string;
    readonly validationErrors?: readonly string[];
  };
};

async function explainRun(
  parts: FactParts,
  { kind, name }: Asked,
  nowMs: number,
): Promise<readonly Explained[]> {
  const { kube, namespace, signal } = parts;
  const resource = kind === 'restore' ? RUNS.restore : RUNS.backup;
  const run = await kube.get<Run>(resource, { namespace, name }, { signal });
  const found: { readonly move: ListedMove; readonly object: MoveObject }[] = [];
  for (const row of MOVE_KINDS) {
    for (const object of await listIfKnown<MoveObject>(kube, row.resource, namespace, signal)) {
      const isOf = object.metadata.labels?.[`velero.io/${kind}-name`] === labelValue(name);
      if (isOf) found.push({ move: listedMove(row.kind, object, nowMs), object });
    }
  }
  const left = found.filter(({ move }) => move.phase !== 'Completed');
  const { phase = 'New', failureReason, validationErrors = [] } = run.status ?? {};
  const said = [failureReason ?? '', ...validationErrors].filter(text => text !== '');
  const done = found.length - left.length;
  const sentences: Sentence[] = [
    { text: `It is ${phase}; ${done} of ${found.length} moves of volumes have completed.` },
    ...said.map(text => ({ text, advice: `velero ${kind} describe ${name} --details` })),
  ];
  if (left.length > MOVES_EXPLAINED_MAX) {
    const text = `${left.length} are not done; the first ${MOVES_EXPLAINED_MAX} follow.`;
    sentences.push({ text, advice: 'kubectl stevedore moves shows all' });
  }
  const shown = left.slice(0, MOVES_EXPLAINED_MAX);
  const each = shown.map(({ move, object }) => explained(parts, move, object));
  return [{ object: `${kind}/${name}`, sentences }, ...(await Promise.all(each))];
}

function textOf(all: readonly Explained[], columns: number): string {
  const room = Math.max(40, columns - 2);
  return all
    .map(({ object, sentences }) => {
      const lines = sentences.flatMap(({ text, advice }) => [
        ...wrapped(safeText(text), room),
        ...(advice === undefined ? [] : wrapped(`-> ${safeText(advice)}`, room)),
      ]);
      return `${safeText(object)}\n${lines.map(line => `  ${line}\n`).join('')}`;
    })
    .join('\n');
}
