// A scratch directory in memory where the system has one (a sync costs nothing there), else on
// disk.

import { accessSync, constants, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Test } from 'tap';

export function fastDirectory(t: Test): string {
  const path = mkdtempSync(join(isWritable('/dev/shm') ? '/dev/shm' : tmpdir(), 'storage-'));
  t.teardown(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

function isWritable(path: string): boolean {
  try {
    accessSync(path, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}
