// Whether a DaemonSet wants a pod on a node: its template may have been changed so that it does not
// any more, or the node goes. Pure. What is not known of here counts as wanted.
//
// As the controller of DaemonSets decides it (kubernetes 1.34 pkg/controller/daemon
// daemon_controller.go NodeShouldRunDaemonPod; component-helpers scheduling/corev1/nodeaffinity),
// but for taints that only keep new pods away: many of those go a minute after a node has come.

import type { KubeObject } from '#kube/kube-object.ts';

export interface NodePlacement {
  readonly nodeSelector?: Readonly<Record<string, string>> | null;
  readonly affinity?: {
    readonly nodeAffinity?: {
      readonly requiredDuringSchedulingIgnoredDuringExecution?: {
        readonly nodeSelectorTerms?: readonly NodeSelectorTerm[] | null;
      } | null;
    } | null;
  } | null;
  readonly tolerations?: readonly Toleration[] | null;
}

interface NodeSelectorTerm {
  readonly matchExpressions?: readonly NodeRequirement[] | null;
  readonly matchFields?: readonly NodeRequirement[] | null;
}

interface NodeRequirement {
  readonly key: string;
  readonly operator: string;
  readonly values?: readonly string[] | null;
}

interface Toleration {
  readonly key?: string;
  readonly operator?: string;
  readonly value?: string;
  readonly effect?: string;
}

interface Taint {
  readonly key: string;
  readonly value?: string;
  readonly effect: string;
}

export interface PlacedNode extends KubeObject {
  readonly spec?: { readonly taints?: readonly Taint[] | null };
}

type Operator = (value: string | undefined, values: readonly string[]) => boolean;

const OPERATORS: ReadonlyMap<string, Operator> = new Map<string, Operator>([
  ['In', (value, values) => value !== undefined && values.includes(value)],
  ['NotIn', (value, values) => value === undefined || !values.includes(value)],
  ['Exists', value => value !== undefined],
  ['DoesNotExist', value => value === undefined],
  ['Gt', (value, [limit]) => isWhole(value) && isWhole(limit) && BigInt(value) > BigInt(limit)],
  ['Lt', (value, [limit]) => isWhole(value) && isWhole(limit) && BigInt(value) < BigInt(limit)],
]);

/** What pods of every DaemonSet tolerate (daemon/util AddOrUpdateDaemonPodTolerations). */
const TOLERATED: ReadonlySet<string> = new Set([
  'node.kubernetes.io/not-ready',
  'node.kubernetes.io/unreachable',
]);

export function wantsNode(placement: NodePlacement, node: PlacedNode): boolean {
  const { nodeSelector, affinity, tolerations } = placement;
  const { metadata, spec } = node;
  if (metadata.deletionTimestamp !== undefined) return false;
  const { labels = {} } = metadata;
  const isSelected = Object.entries(nodeSelector ?? {}).every(
    ([key, value]) => labels[key] === value,
  );
  const required = affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  const terms = required?.nodeSelectorTerms;
  if (!isSelected || (terms && !terms.some(term => fits(term, node)))) return false;
  return (spec?.taints ?? []).every(taint => isTolerated(taint, tolerations ?? []));
}

/** An empty term fits no node. */
function fits({ matchExpressions, matchFields }: NodeSelectorTerm, { metadata }: PlacedNode) {
  const [expressions, fields] = [matchExpressions ?? [], matchFields ?? []];
  if (expressions.length + fields.length === 0) return false;
  const { labels = {}, name } = metadata;
  return (
    expressions.every(each => satisfies(each, labels[each.key])) &&
    // There is no other field.
    fields.every(each => each.key !== 'metadata.name' || satisfies(each, name))
  );
}

function satisfies({ operator, values }: NodeRequirement, value: string | undefined): boolean {
  return OPERATORS.get(operator)?.(value, values ?? []) ?? true;
}

/** As many digits as a label has are few. */
function isWhole(text: string | undefined): text is string {
  return text !== undefined && /^-?\d{1,63}$/.test(text);
}

function isTolerated(taint: Taint, tolerations: readonly Toleration[]): boolean {
  if (taint.effect !== 'NoExecute' || TOLERATED.has(taint.key)) return true;
  return tolerations.some(({ key = '', operator = 'Equal', value = '', effect = '' }) => {
    if (effect !== '' && effect !== taint.effect) return false;
    if (key !== '' && key !== taint.key) return false;
    return operator !== 'Equal' || value === (taint.value ?? '');
  });
}
