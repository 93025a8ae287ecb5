// The cache of a node as a bar: what is used, what is promised on top of it, where its limit is,
// and where the disk would be at the kubelet's line if nobody but the cache wrote. What it shows
// stands beside it in words; shapes differ, not colours alone.

import { formatBytes, formatShare } from '#engine/cli/quantity.ts';
import type { NodeOverview } from '#proto/overview-messages.ts';
import { html, type Html } from './html.ts';
import { distanceToLine } from './node-trouble.ts';

const WIDTH = 200;
const HEIGHT = 14;
/** A line that is further away than that is said in words, and the bar ends with the limit. */
const SHOWN_BEYOND_LIMIT = 1.5;

export function cacheCell(node: NodeOverview): Html {
  const cache = node.heartbeat?.cache;
  if (cache === undefined) return html`<span class="none">none</span>`;
  const { usedBytes, limitBytes, reservedBytes = 0 } = cache;
  const distance = distanceToLine(node);
  const reserved = reservedBytes === 0 ? '' : `, ${formatBytes(reservedBytes)} reserved`;
  const share = formatShare(usedBytes + reservedBytes, limitBytes);
  const taken = `${formatBytes(usedBytes)} of ${formatBytes(limitBytes)}, ${share}${reserved}`;
  return html`${bar({ usedBytes, limitBytes, reservedBytes, distance })}<span class="words"
      >${taken}</span
    ><span class="words">${lineText(distance, node.heartbeat?.diskFreeBytes)}</span>`;
}

function lineText(distance: number | undefined, freeBytes: number | undefined): string {
  if (distance !== undefined) {
    return distance < 0
      ? `disk ${formatBytes(-distance)} beyond the eviction line`
      : `disk ${formatBytes(distance)} above the eviction line`;
  }
  return freeBytes === undefined ? '' : `no eviction line, ${formatBytes(freeBytes)} free`;
}

interface BarParts {
  readonly usedBytes: number;
  readonly limitBytes: number;
  readonly reservedBytes: number;
  readonly distance: number | undefined;
}

function bar({ usedBytes, limitBytes, reservedBytes, distance }: BarParts): Html {
  const line = distance === undefined ? undefined : Math.max(0, usedBytes + distance);
  const taken = usedBytes + reservedBytes;
  const isLineShown = line !== undefined && line <= limitBytes * SHOWN_BEYOND_LIMIT;
  const whole = Math.max(limitBytes, taken, isLineShown ? line : 0, 1) * 1.02;
  const at = (bytes: number) => Math.round((bytes / whole) * WIDTH * 10) / 10;
  const [used, all, limit] = [at(usedBytes), at(taken), at(limitBytes)];
  const reserved = html`<rect
    class="reserved"
    x="${used}"
    y="3"
    width="${all - used}"
    height="8"
  />`;
  const lineX = isLineShown ? at(line) : 0;
  const mark = html`<path class="line" d="${lineMark(lineX)}" />`;
  return html`<svg class="bar" viewBox="0 0 ${WIDTH} ${HEIGHT}" aria-hidden="true">
    <rect class="track" x="0" y="3" width="${limit}" height="8" />
    <rect class="used" x="0" y="3" width="${used}" height="8" />
    ${reservedBytes > 0 ? reserved : ''}
    <path class="limit" d="M${limit} 1v12" />
    ${isLineShown ? mark : ''}
  </svg>`;
}

/** A wedge and a stroke, which are no colour alone. */
export function lineMark(x: number): string {
  return `M${x - 4} 0h8l-4 5z M${x} 0v${HEIGHT}`;
}
