// What is known of the tree in the middle of an upload, gathered at one moment, for
// checkpoint-task.

import { EngineError } from '#engine/base/errors.ts';
import type { OpenDirectory } from './open-directory.ts';
import { TotalsBuilder } from './part-totals.ts';
import type { HalfDoneDirectory, PartialDirectory, PartialFileInput } from './upload-tasks.ts';

export interface PartialTree {
  /** Children before their parents, the root last. */
  readonly directories: readonly PartialDirectory[];
  /** Memory that moves to the thread. */
  readonly transfer: ArrayBuffer[];
}

/** A file that is being read, with its directory. */
export interface OpenFile {
  readonly directory: OpenDirectory;
  readonly partial: PartialFileInput | undefined;
}

/**
 * @param open every directory that has been listed and not written; the root among them
 * @throws what writing a directory throws that was being written at that moment
 */
export async function gatherPartialTree(
  open: Iterable<OpenDirectory>,
  files: Iterable<OpenFile>,
): Promise<PartialTree> {
  const filesOf = Map.groupBy(files, ({ directory }) => directory);
  // Those furthest down first: a directory is written when its children have been.
  const ordered = [...open].sort((a, b) => b.names.length - a.names.length);
  const openChildren = new Map<OpenDirectory, Map<number, number>>();
  const transfer: ArrayBuffer[] = [];
  const gathered = ordered.map((directory, index): Promise<PartialDirectory> => {
    const { parent, position, metadata, extras, writing } = directory;
    if (parent !== undefined) {
      const siblings = openChildren.get(parent) ?? new Map<number, number>();
      openChildren.set(parent, siblings.set(position, index));
    }
    // Its entries have moved to the thread that writes it.
    if (writing) {
      return writing.then(written =>
        written instanceof EngineError ? emptyOf(directory) : { metadata, written },
      );
    }
    const known = directory.known(openChildren.get(directory) ?? new Map<number, number>());
    transfer.push(...known.fresh);
    const { children, pieces } = known;
    const totals = { ...directory.totals.part(), skipped: [] };
    const partials = (filesOf.get(directory) ?? []).map(({ partial }) => partial);
    const parts = partials.filter(partial => partial !== undefined);
    return Promise.resolve({ metadata, extras, children, pieces, files: parts, totals });
  });
  return { directories: await Promise.all(gathered), transfer };
}

/** In place of one that is too large to be stored: the next run finds nothing of it. */
function emptyOf({ metadata, extras }: OpenDirectory): HalfDoneDirectory {
  const totals = new TotalsBuilder().part();
  return { metadata, extras, children: [], pieces: [], files: [], totals };
}
