// Asks threads whether directories are what is known of them beside the parent snapshot
// (unchanged-directory.ts), several in one task: to ask takes longer than to answer.

import { mayBeUnchanged } from '#engine/snapshot/source/change-record.ts';
import { enterDirectory, type Selection } from '#engine/snapshot/source/selection.ts';
import { sourceError } from './entry-faults.ts';
import {
  type DirectoryPlace,
  type OpenDirectory,
  reusable,
  type TakenChild,
} from './open-directory.ts';
import type { DirectoryRecord } from './record-order.ts';
import type { UploadParts } from './upload-options.ts';
import type { CompareOutput, EarlierChild, UploadRun, WrittenDirectory } from './upload-tasks.ts';

/** A directory, and what earlier snapshots have in its place. */
export interface CompareRequest extends EarlierChild {
  readonly place: DirectoryPlace;
  readonly selection: Selection;
}

/** Of a directory that is in another one. */
export interface ChildRequest extends CompareRequest {
  readonly place: DirectoryPlace & { readonly parent: OpenDirectory };
}

export function childRequest(parent: OpenDirectory, { child, position }: TakenChild): ChildRequest {
  const { previous, resumed } = child;
  const place = { names: [...parent.names, child.name], parent, position, metadata: child };
  return { place, selection: enterDirectory(parent.selection, child.name), previous, resumed };
}

export interface Compared {
  /** What is known of it, for its scan to keep; undefined for nothing. */
  readonly known: DirectoryRecord | undefined;
  /** Nothing at all has changed in it, and its object can be used again. */
  readonly same?: { readonly found: CompareOutput; readonly written: WrittenDirectory };
  /** Whether it is known to differ, so that there is something to read. */
  readonly isDifferent: boolean;
}

/** In the order of `requests`. A directory that cannot be looked at is said to differ. */
export async function compareDirectories(
  { runner, known, isStored }: Pick<UploadParts, 'runner' | 'known' | 'isStored'>,
  run: UploadRun,
  requests: readonly CompareRequest[],
): Promise<Compared[]> {
  const records: (DirectoryRecord | undefined)[] = [];
  for (const { place, previous } of requests) {
    records.push(previous && (await known?.find(place.names)));
  }
  const written = requests.map((request, index) =>
    reusedIfSame(request, records[index], run, isStored),
  );
  const directories = requests.flatMap(({ place, selection }, index) => {
    const record = records[index];
    return record && written[index] ? [{ names: place.names, selection, known: record }] : [];
  });
  if (directories.length === 0)
    return records.map(record => ({ known: record, isDifferent: false }));
  const answers = await runner
    .run('compareDirectories', { run, directories }, { isBrief: true })
    // A thread that cannot open the root has nothing to compare; the scans say so.
    .catch(error => void sourceError(error));
  let next = 0;
  return records.map((record, index) => {
    const object = written[index];
    const found = object && answers?.[next++];
    const same = object && found && { found, written: object };
    return { known: record, same, isDifferent: object !== undefined && same === undefined };
  });
}

/** What stands for the directory if it turns out to be the same; undefined where nothing can. */
function reusedIfSame(
  { previous, resumed }: EarlierChild,
  known: DirectoryRecord | undefined,
  run: UploadRun,
  isStored: UploadParts['isStored'],
): WrittenDirectory | undefined {
  if (known === undefined || resumed !== undefined) return undefined;
  const written = reusable(previous, previous?.summary);
  if (written === undefined || !mayBeUnchanged(known, run.changes)) return undefined;
  return isStored(written.objectId) ? written : undefined;
}
