// The kubelet's hard eviction thresholds for disks: its defaults, and what its configuration says
// (kubernetes pkg/kubelet/apis/config/v1beta1/defaults_linux.go, pkg/kubelet/eviction/helpers.go,
// KubeletConfiguration.evictionHard).

import { parseQuantity } from '#engine/base/kube-quantity.ts';
import type { EvictionLine, Threshold } from './limit.ts';

export const DEFAULT_EVICTION_LINES: readonly EvictionLine[] = Object.freeze([
  { signal: 'nodefs.available', threshold: { share: 0.1 } },
  { signal: 'imagefs.available', threshold: { share: 0.15 } },
  { signal: 'nodefs.inodesFree', threshold: { share: 0.05 } },
  { signal: 'imagefs.inodesFree', threshold: { share: 0.05 } },
] satisfies EvictionLine[]);

/** `10%` or a quantity. */
export function parseThreshold(text: string): Threshold | undefined {
  const percent = /^(\d+(?:\.\d+)?)%$/.exec(text)?.[1];
  if (percent !== undefined) return { share: Number(percent) / 100 };
  const amount = parseQuantity(text);
  return amount === undefined ? undefined : { amount };
}

/**
 * The lines of a kubelet with this `evictionHard`. The default stands for what it does not mention:
 * a kubelet may have no line there at all, and keeping away from one that is not there costs
 * little. A threshold that cannot be read counts as not mentioned.
 */
export function evictionLinesOf(
  evictionHard: Readonly<Record<string, unknown>>,
): readonly EvictionLine[] {
  return DEFAULT_EVICTION_LINES.map(line => {
    const value = evictionHard[line.signal];
    const isText = typeof value === 'string' || typeof value === 'number';
    const threshold = isText ? parseThreshold(String(value)) : undefined;
    return threshold === undefined ? line : { signal: line.signal, threshold };
  });
}
