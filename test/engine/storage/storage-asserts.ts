// What the storage tests say often, in a word each.

import type { Test } from 'tap';
import { EngineError } from '#engine/base/errors.ts';
import type { Storage } from '#engine/storage/storage.ts';

export function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** 40 characters that differ for each index, as long as real ids are. */
export function hexOf(index: number): string {
  const start = ((index * 2_654_435_761) % 2 ** 32).toString(16).padStart(8, '0');
  return start.padEnd(40, index.toString(16).padStart(4, '0'));
}

export async function read(storage: Storage, id: string): Promise<string> {
  return Buffer.from(await storage.get(id)).toString();
}

/** Sorted. */
export async function ids(storage: Storage, prefix: string): Promise<string[]> {
  const blobs = await Array.fromAsync(storage.list(prefix));
  return blobs.map(blob => blob.id).sort();
}

export async function failsWith(
  t: Test,
  code: EngineError['code'],
  work: () => Promise<unknown>,
): Promise<EngineError | undefined> {
  try {
    await work();
  } catch (error) {
    if (error instanceof EngineError && error.code === code) {
      t.pass(code);
      return error;
    }
    const found = error instanceof Error ? `${error.name} ${error.message}` : String(error);
    t.fail(`expected ${code}, got ${error instanceof EngineError ? error.code : ''} ${found}`);
    return undefined;
  }
  t.fail(`expected ${code}, but it succeeded`);
  return undefined;
}
