// Named pipes, sockets and devices of one directory. They are looked at and never opened: opening
// one can block, or make a device do something.

import type { SpecialEntry, SpecialType } from '#engine/format/entry-extras.ts';
import { wrapModificationTime } from '#engine/snapshot/source/change-detection.ts';
import { STATE, type StampBuilder } from '#engine/snapshot/source/change-record.ts';
import { entryPath, type SourceDirectory } from '#engine/snapshot/source/source-file-system.ts';
import { nameText, printablePath } from '#engine/snapshot/source/source-name.ts';
import { ENTRY_TYPE, type SourceStat } from '#engine/snapshot/source/source-stat.ts';
import {
  attributeExtras,
  joinExtras,
  nameExtras,
  timeExtras,
  unreadableAttributes,
} from './entry-attributes.ts';
import { linkGroupOf } from './linked-files.ts';
import type { TotalsBuilder } from './part-totals.ts';
import type { PreviousEntries } from './previous-entries.ts';
import type { UploadThread } from './upload-thread.ts';

const NONE = -1;

const LETTERS: ReadonlyMap<number, SpecialType> = new Map<number, SpecialType>([
  [ENTRY_TYPE.fifo, 'p'],
  [ENTRY_TYPE.socket, 'k'],
  [ENTRY_TYPE.characterDevice, 'c'],
  [ENTRY_TYPE.blockDevice, 'b'],
]);

export function isSpecial(type: number): boolean {
  return LETTERS.has(type);
}

export interface SpecialEntriesParts {
  readonly upload: UploadThread;
  readonly directory: SourceDirectory;
  readonly previous: PreviousEntries;
  readonly totals: TotalsBuilder;
  readonly stamps: StampBuilder;
  readonly seenMs: number;
}

export class SpecialEntries {
  readonly list: SpecialEntry[] = [];
  readonly #parts: SpecialEntriesParts;

  constructor(parts: SpecialEntriesParts) {
    this.#parts = parts;
  }

  /** Adds an entry of the listing; by name in bytes, as the listing has them. */
  add(index: number, stat: SourceStat): void {
    const { upload, stamps, previous } = this.#parts;
    wrapModificationTime(stat);
    const name = upload.listing.nameAt(index);
    const entry = specialEntry(name, stat);
    const known = this.#knownIndex(name, entry, stat);
    if (known === NONE) {
      this.list.push({ ...entry, extras: this.#findExtras(index, stat) });
      return;
    }
    const position = previous.positionOfSpecial(known);
    if (previous.stamps) stamps.addAgain(previous.stamps, previous.stampAt(position));
    this.list.push({ ...entry, extras: previous.special[known].extras });
  }

  /** Which entry of the parent snapshot has the same extras, or -1 where they are to be found. */
  #knownIndex(name: Uint8Array, entry: SpecialEntry, stat: SourceStat): number {
    const { previous, upload } = this.#parts;
    const index = previous.specialIndex(name);
    if (index === NONE || previous.special[index].type !== entry.type) return NONE;
    const { changes } = upload.run;
    const isBlind = changes.ignoreCtime && stat.linkCount > 1;
    const isSame =
      previous.stateOf(previous.positionOfSpecial(index), stat, changes) === STATE.same;
    return isSame && !isBlind ? index : NONE;
  }

  #findExtras(index: number, stat: SourceStat): SpecialEntry['extras'] {
    const { upload, directory, totals, stamps, seenMs } = this.#parts;
    const { listing, fileSystem } = upload;
    const found = fileSystem.attributesAt(directory, listing, index, stat);
    if (found === undefined || found.unreadable.length === 0) {
      stamps.add(stat, seenMs);
    } else {
      stamps.addUnknown();
      const path = printablePath(entryPath(directory, listing, index));
      totals.addSkipped(unreadableAttributes(path, found.unreadable));
    }
    const linkGroup = linkGroupOf(stat, upload.rootStat);
    const name = nameExtras(listing.nameAt(index));
    const link = linkGroup === undefined ? undefined : { linkGroup };
    return joinExtras(name, link, timeExtras(stat), attributeExtras(found));
  }
}

function specialEntry(name: Uint8Array, stat: SourceStat): SpecialEntry {
  const type = LETTERS.get(stat.type) ?? 'p';
  const isDevice = type === 'c' || type === 'b';
  return {
    name: nameText(name),
    type,
    mode: stat.permissions,
    uid: stat.uid,
    gid: stat.gid,
    mtimeSeconds: stat.mtimeSeconds,
    mtimeNanoseconds: stat.mtimeNanoseconds,
    major: isDevice ? stat.nodeMajor : 0,
    minor: isDevice ? stat.nodeMinor : 0,
  };
}
