// Where something knows which blocks of a device have changed since a snapshot of it, what has not
// is taken over without being read. Nothing of ours knows that; Kubernetes may come to tell it of
// volume snapshots (changed block tracking, KEP-3314).

export interface ChangedBlocks {
  /**
   * Ranges of the device that may differ from what the snapshot `parentId` has, ascending and
   * apart: offset, length, offset, length, … All of it when undefined.
   */
  since(parentId: string, signal: AbortSignal): Promise<readonly number[] | undefined>;
}

/** Everything is read. */
export const ALL_BLOCKS: ChangedBlocks = Object.freeze({ since: () => Promise.resolve(undefined) });
