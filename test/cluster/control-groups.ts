// A control group for everything that a kubelet of a test runs, in each hierarchy that there is:
// several of version 1, or the one of version 2.

import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

const ROOT = '/sys/fs/cgroup';
const ATTEMPTS_MAX = 100;
const ATTEMPT_EVERY_MS = 100;

export function makeControlGroups(name: string): void {
  for (const hierarchy of hierarchies()) {
    mkdirSync(join(hierarchy, name), { recursive: true });
    copyProcessors(hierarchy, name);
    const offered = join(hierarchy, 'cgroup.controllers');
    if (!existsSync(offered)) continue;
    const all = readFileSync(offered, 'utf8').trim().split(' ').filter(Boolean);
    const text = all.map(controller => `+${controller}`).join(' ');
    if (text !== '') writeFileSync(join(hierarchy, 'cgroup.subtree_control'), text);
  }
}

/** With all groups in it; their processes have ended, or are about to. */
export async function removeControlGroups(name: string): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      for (const hierarchy of hierarchies()) removeGroup(join(hierarchy, name));
      return;
    } catch (error) {
      if (attempt === ATTEMPTS_MAX) throw error;
      await delay(ATTEMPT_EVERY_MS);
    }
  }
}

function hierarchies(): string[] {
  if (existsSync(join(ROOT, 'cgroup.controllers'))) return [ROOT];
  return readdirSync(ROOT, { withFileTypes: true })
    .filter(entry => entry.isDirectory())
    .map(entry => join(ROOT, entry.name));
}

/** A new group of version 1 has no processors until it is given some (cpuset(7)). */
function copyProcessors(hierarchy: string, name: string): void {
  for (const file of ['cpuset.cpus', 'cpuset.mems']) {
    const all = join(hierarchy, file);
    if (existsSync(all)) writeFileSync(join(hierarchy, name, file), readFileSync(all));
  }
}

function removeGroup(group: string): void {
  if (!existsSync(group)) return;
  for (const entry of readdirSync(group, { withFileTypes: true })) {
    if (entry.isDirectory()) removeGroup(join(group, entry.name));
  }
  rmdirSync(group);
}
