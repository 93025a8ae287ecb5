// How much memory this process may take when nobody says: most of what its control group allows,
// and where that has no limit half of what the machine has to spare.

import { readFileSync } from 'node:fs';
import { MEMORY_BYTES_MIN, MIB } from './memory-plan.ts';

/** The text of a file, undefined where it cannot be read. */
export type ReadText = (path: string) => string | undefined;

/** For what the kernel counts besides: page cache that is written to, sockets. */
const HEADROOM_SHARE = 0.15;
const SPARE_SHARE = 0.5;
const UNKNOWN_BYTES = 1024 * MIB;

export function defaultMemoryBytes(readText: ReadText = readFile): number {
  const allowed = controlGroupBytes(readText);
  const spare = availableBytes(readText);
  const bytes = Math.min(
    allowed === undefined ? Number.POSITIVE_INFINITY : allowed * (1 - HEADROOM_SHARE),
    spare === undefined ? UNKNOWN_BYTES : spare * SPARE_SHARE,
  );
  return Math.max(MEMORY_BYTES_MIN, Math.floor(bytes));
}

/**
 * The least limit of the control groups that this process is in, of either version (kernel
 * Documentation/admin-guide/cgroup-v2.rst `memory.max`, cgroup-v1/memory.rst
 * `memory.limit_in_bytes`); undefined where there is none.
 */
export function controlGroupBytes(readText: ReadText = readFile): number | undefined {
  const groups = readText('/proc/self/cgroup') ?? '';
  const limits = groups.split('\n').flatMap(line => {
    const [, controllers, path] = /^\d+:([^:]*):(\/.*)$/.exec(line) ?? [];
    if (path === undefined) return [];
    if (controllers === '') return limitsUpwards('/sys/fs/cgroup', path, 'memory.max', readText);
    if (!controllers?.split(',').includes('memory')) return [];
    return limitsUpwards('/sys/fs/cgroup/memory', path, 'memory.limit_in_bytes', readText);
  });
  const least = Math.min(...limits);
  return Number.isFinite(least) ? least : undefined;
}

/** A group is bound by all above it. In a container what is shown may begin at its own. */
function limitsUpwards(root: string, path: string, file: string, readText: ReadText): number[] {
  const names = path.split('/').filter(Boolean);
  const places = names.map((_, index) => names.slice(0, index + 1).join('/'));
  return ['', ...places].flatMap(place => {
    const text = readText(place === '' ? `${root}/${file}` : `${root}/${place}/${file}`)?.trim();
    const bytes = Number(text);
    // Version 2 says `max`, version 1 a number next to 2^63, when there is no limit.
    return text !== undefined && /^\d+$/.test(text) && bytes < 2 ** 60 ? [bytes] : [];
  });
}

function availableBytes(readText: ReadText): number | undefined {
  const kib = /^MemAvailable:\s*(\d+) kB/m.exec(readText('/proc/meminfo') ?? '')?.[1];
  return kib === undefined ? undefined : Number(kib) * 1024;
}

function readFile(path: string): string | undefined {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return undefined;
  }
}
