// Whose orders to move snapshots an agent takes.

import type { DataMover } from '#agent/moves/exposed-moves.ts';
import { configError } from './config-values.ts';

/** For whom snapshots are moved, by the name that a backup asks for. */
export function parseDataMover(text: string, what: string): DataMover {
  if (text === 'velero' || text === 'stevedore') return text;
  throw configError(`${what} is '${text}'; give velero or stevedore`);
}
