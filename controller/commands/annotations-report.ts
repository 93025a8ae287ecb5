// `stevedore annotations`: what would become of each pod, as a table and as a document.

import type { ExplainedPod, ExplainedVolume } from '#controller/annotator/explain-pod.ts';
import { POD_STATES, type PodState } from '#controller/annotator/decide.ts';
import { counted } from '#engine/cli/quantity.ts';
import { type Column, renderUsedColumns } from '#engine/cli/table.ts';
import { safeText } from '#engine/cli/terminal-text.ts';

const STATE_TEXTS: Readonly<Record<PodState, string>> = Object.freeze({
  outdated: 'would be changed',
  chosen: 'is as the rules say',
  unchosen: 'is not concerned',
  own: "has a person's own annotation",
  waiting: 'waits for a claim',
  over: 'has ended',
});

/** Every pod has some of them, and nobody asks why they are not backed up. The document has all. */
const EVERYDAY_TYPES: ReadonlySet<string> = new Set([
  ...['configMap', 'downwardAPI', 'image', 'projected', 'secret'],
]);

interface Row {
  readonly pod: ExplainedPod;
  /** Undefined: it has none to speak of. */
  readonly volume: ExplainedVolume | undefined;
}

export function annotationsText(pods: readonly ExplainedPod[]): string {
  const counts = POD_STATES.flatMap(state => {
    const count = pods.filter(pod => pod.state === state).length;
    return count === 0 ? [] : `${count} ${STATE_TEXTS[state]}`;
  });
  const headline = [counted(pods.length, 'pod'), ...counts].join('; ');
  const rows = pods.flatMap(rowsOf);
  const table = rows.length === 0 ? '' : `\n${renderUsedColumns(COLUMNS, rows)}`;
  return `${headline}\n${table}`;
}

export function annotationsDocument(pods: readonly ExplainedPod[]): object {
  return {
    pods: pods.map(({ pod, state, change, volumes }) => ({
      ...{ pod, state, text: STATE_TEXTS[state], annotations: change },
      volumes: volumes.map(({ action, ...volume }) => ({ ...volume, action: action ?? 'none' })),
    })),
  };
}

function rowsOf(pod: ExplainedPod): Row[] {
  const volumes = pod.volumes.filter(({ type }) => !EVERYDAY_TYPES.has(type));
  // What has nothing to be backed up is counted, and shown only where something changes.
  if (volumes.length === 0 && pod.change === undefined) return [];
  return (volumes.length === 0 ? [undefined] : volumes).map(volume => ({ pod, volume }));
}

const COLUMNS: readonly Column<Row>[] = [
  { title: 'pod', text: ({ pod }) => safeText(pod.pod) },
  { title: 'which', text: ({ pod }) => STATE_TEXTS[pod.state] },
  { title: 'volume', text: ({ volume }) => safeText(volume?.name ?? '') },
  { title: 'is', text: ({ volume }) => actionText(volume) },
  { title: 'because of', text: ({ volume }) => safeText(volume?.why ?? '') },
];

function actionText(volume: ExplainedVolume | undefined): string {
  if (volume === undefined) return '';
  return volume.action === undefined ? 'left out' : `${volume.action}d`;
}
