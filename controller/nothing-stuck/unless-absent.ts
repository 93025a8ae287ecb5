import { isEngineError } from '#engine/base/errors.ts';

/** What could not be had is no absence. */
export async function unlessAbsent<Item>(ask: () => Promise<Item>): Promise<Item | undefined> {
  try {
    return await ask();
  } catch (error) {
    if (isEngineError(error, 'KUBE_NOT_FOUND')) return undefined;
    throw error;
  }
}
