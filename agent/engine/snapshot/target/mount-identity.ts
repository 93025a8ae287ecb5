// Whether two open directories lie on one mount, where openat2(2) cannot be asked to stay on it.

import { readFileSync } from 'node:fs';

import type { TargetCalls } from './target-calls.ts';
import { TargetStat } from './target-stat.ts';

/**
 * The number of the mount tells one file system that is mounted twice from itself; /proc has it
 * since Linux 3.15. Without it only what is another file system is noticed.
 */
export function isSameMount(calls: TargetCalls, parent: number, child: number): boolean {
  const above = new TargetStat();
  const below = new TargetStat();
  if (calls.statOpen(parent, above) < 0 || calls.statOpen(child, below) < 0) return false;
  const isOneDevice =
    above.deviceMajor === below.deviceMajor && above.deviceMinor === below.deviceMinor;
  return isOneDevice && !below.isMountRoot && mountNumber(parent) === mountNumber(child);
}

function mountNumber(descriptor: number): string | undefined {
  try {
    const text = readFileSync(`/proc/self/fdinfo/${descriptor}`, 'latin1');
    return /^mnt_id:\s*(\d+)$/m.exec(text)?.[1];
  } catch {
    // No /proc: both numbers are unknown, and the devices alone are compared.
    return undefined;
  }
}
