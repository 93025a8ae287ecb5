// Makes files, links and special entries of a section, in a worker thread. A file of one chunk is
// made, written and finished in one go. One of several chunks is made by whichever thread comes to
// it first and finished by the one that writes its last chunk; they meet in the words of the
// section's tables.

import { EngineError } from '#engine/base/errors.ts';
import { ENTRY_TYPE } from '#engine/snapshot/source/source-stat.ts';
import { assertPermitted, strippedDevice } from '#engine/snapshot/target/attribute-policy.ts';
import { isOfOneEntry } from '#engine/snapshot/target/target-error.ts';
import type { TargetFile } from '#engine/snapshot/target/target-handle.ts';
import { TargetStat } from '#engine/snapshot/target/target-stat.ts';
import { type Node, settleAt } from '#engine/snapshot/target/settle-node.ts';
import { settleFile } from '#engine/snapshot/target/settle-open.ts';
import type { WantedAttributes } from '#engine/snapshot/target/wanted-attributes.ts';
import type { PlainRegion } from '#engine/workers/content-opener.ts';
import { noteFile, removeOccupant } from './entry-identity.ts';
import { fileGone, openExisting } from './open-existing.ts';
import { ENTRY_ACTION, ENTRY_FLAG, ENTRY_KIND } from './plan-tables.ts';
import type { RestoreThread } from './restore-thread.ts';
import type { WorkTally } from './work-tally.ts';
import { entryAttributes, entryName, specialEntry } from './section-rows.ts';

/** How long a thread waits at once for another that makes a file. */
const WAIT_MS = 100;
/** Scratch of this thread; nothing in here waits. */
const stat = new TargetStat();

export class FileMaking {
  readonly #thread: RestoreThread;
  readonly #tally: WorkTally;

  constructor(thread: RestoreThread, tally: WorkTally) {
    this.#thread = thread;
    this.#tally = tally;
  }

  /** Writes a chunk to its place; the bytes stay as they are. */
  writeChunk(chunk: number, bytes: PlainRegion): void {
    const { view } = this.#thread;
    const row = view.chunks.entry[chunk];
    this.#guard(row, () => {
      if (view.entries.kind[row] === ENTRY_KIND.symlink) this.#makeLink(row, bytes);
      else if (this.#isWhole(row)) this.#writeWhole(row, bytes);
      else this.#writePart(row, view.chunks.offset[chunk], bytes);
    });
  }

  /** Notes that a chunk cannot be had. */
  giveUpChunk(chunk: number, error: EngineError): void {
    const { view } = this.#thread;
    const row = view.chunks.entry[chunk];
    const { flags } = view.entries;
    // One line for a file is enough, however many of its chunks are lost.
    const before = Atomics.or(flags, row, ENTRY_FLAG.damaged);
    if ((before & ENTRY_FLAG.damaged) === 0) this.#tally.damage(row, error);
    if (view.entries.kind[row] !== ENTRY_KIND.file || this.#isWhole(row)) return;
    this.#guard(row, () => {
      this.#ready(row);
      this.#chunkDone(row);
    });
  }

  /** Makes an entry for which nothing has to be fetched. */
  makePlain(row: number): void {
    const { kind, action } = this.#thread.view.entries;
    this.#guard(row, () => {
      if (kind[row] === ENTRY_KIND.special) this.#makeSpecial(row);
      else if (kind[row] === ENTRY_KIND.symlink) throw emptyLink(entryName(this.#thread.view, row));
      else if (action[row] === ENTRY_ACTION.settle) this.#settleExisting(row);
      else if (this.#ready(row)) this.#finish(row);
    });
  }

  /** Gives a file its attributes that has been written, and is on the disk by now. */
  finishWritten(row: number): void {
    this.#guard(row, () => this.#finish(row));
  }

  #guard(row: number, work: () => void): void {
    this.#thread.throwIfStopped();
    try {
      work();
    } catch (error) {
      if (!isOfOneEntry(error)) throw error;
      this.#tally.failure(row, error);
      this.#thread.view.entries.action[row] = ENTRY_ACTION.failed;
    }
  }

  /** Whether the file is one chunk that is written to a new file. */
  #isWhole(row: number): boolean {
    const { chunkCount, action } = this.#thread.view.entries;
    return chunkCount[row] === 1 && action[row] === ENTRY_ACTION.make;
  }

  #writeWhole(row: number, { arena, offset, length }: PlainRegion): void {
    const wanted = entryAttributes(this.#thread.view, row);
    // One with holes is opened again, for its end.
    const file = this.#create(row, wanted.extras?.holes ? openedAgain(wanted) : wanted);
    // Not by `using`: what the build makes of it is garbage of each file (upload/entry-store.ts).
    try {
      this.#fill(row, file, wanted, { arena, offset, length });
    } finally {
      file[Symbol.dispose]();
    }
  }

  #fill(
    row: number,
    file: TargetFile,
    wanted: WantedAttributes,
    { arena, offset, length }: PlainRegion,
  ): void {
    const { fileSystem } = this.#thread;
    const { extras } = wanted;
    if (extras?.holes) {
      // A hole at the end is not written, and belongs to the file all the same.
      this.#note(row, file);
      fileSystem.setSize(file, length);
      this.#writeAround(file, 0, { arena, offset, length }, extras.holes);
      this.#tally.bytes += length;
      Atomics.or(this.#thread.view.entries.flags, row, ENTRY_FLAG.written);
      return;
    } else {
      fileSystem.write(file, arena, { offset, length, position: 0 });
    }
    this.#tally.bytes += length;
    this.#settle(row, file, wanted);
  }

  #writePart(row: number, position: number, bytes: PlainRegion): void {
    if (this.#thread.view.entries.action[row] === ENTRY_ACTION.failed || !this.#ready(row)) return;
    const file = this.#fileAt(row);
    file.isNew = this.#thread.view.entries.action[row] === ENTRY_ACTION.make;
    const { extras } = entryAttributes(this.#thread.view, row);
    if (extras?.holes) this.#writeAround(file, position, bytes, extras.holes);
    else if (!this.#mayLeaveOut(row, bytes)) this.#write(file, position, bytes);
    this.#tally.bytes += bytes.length;
    this.#chunkDone(row);
  }

  /** Zeros of a new file are there before they are written; of an old one other bytes may be. */
  #mayLeaveOut(row: number, bytes: PlainRegion): boolean {
    const isNew = this.#thread.view.entries.action[row] !== ENTRY_ACTION.update;
    return this.#thread.run.isSparse && isNew && isZero(bytes);
  }

  #write(file: TargetFile, position: number, { arena, offset, length }: PlainRegion): void {
    const range = { offset, length, position };
    if (file.isNew) this.#thread.fileSystem.writeNew(file, arena, range);
    else this.#thread.fileSystem.write(file, arena, range);
  }

  /** Writes what does not lie in a hole. */
  #writeAround(
    file: TargetFile,
    position: number,
    { arena, offset, length }: PlainRegion,
    holes: readonly number[],
  ): void {
    const end = position + length;
    let at = position;
    for (let hole = 0; hole < holes.length && at < end; hole += 2) {
      const holeEnd = holes[hole] + holes[hole + 1];
      if (holeEnd <= at) continue;
      const dataEnd = Math.min(end, holes[hole]);
      const data = { arena, offset: offset + at - position, length: dataEnd - at };
      if (dataEnd > at) this.#write(file, at, data);
      at = Math.max(at, holeEnd);
    }
    const rest = { arena, offset: offset + at - position, length: end - at };
    if (at < end) this.#write(file, at, rest);
  }

  #chunkDone(row: number): void {
    const { chunksLeft } = this.#thread.view.entries;
    if (Atomics.sub(chunksLeft, row, 1) === 1) this.#endWriting(row);
  }

  /**
   * Makes the file unless another thread has, or waits until it has. False when it cannot be made,
   * which the thread that tried has noted.
   */
  #ready(row: number): boolean {
    const { flags, action } = this.#thread.view.entries;
    for (;;) {
      const seen = Atomics.load(flags, row);
      if ((seen & ENTRY_FLAG.ready) !== 0) return action[row] !== ENTRY_ACTION.failed;
      if ((seen & ENTRY_FLAG.begun) === 0) {
        if (Atomics.compareExchange(flags, row, seen, seen | ENTRY_FLAG.begun) === seen) break;
      } else {
        Atomics.wait(flags, row, seen, WAIT_MS);
        this.#thread.throwIfStopped();
      }
    }
    try {
      this.#begin(row);
      return true;
    } catch (error) {
      action[row] = ENTRY_ACTION.failed;
      throw error;
    } finally {
      Atomics.or(flags, row, ENTRY_FLAG.ready);
      Atomics.notify(flags, row);
    }
  }

  #begin(row: number): void {
    const { view, fileSystem, run } = this.#thread;
    const isUpdate = view.entries.action[row] === ENTRY_ACTION.update;
    const wanted = entryAttributes(view, row);
    if (isUpdate)
      assertPermitted({ path: entryName(view, row) }, ENTRY_TYPE.file, wanted, run.policy);
    // Other threads open it by its name.
    const ours = openedAgain(wanted);
    const file = this.#thread.openFile(row, () => {
      return isUpdate ? openExisting(this.#thread, row) : this.#create(row, ours);
    });
    if (view.entries.chunksLeft[row] > 0) {
      if (isUpdate) fileSystem.makePrivate(file);
      this.#note(row, file);
    }
    fileSystem.setSize(file, view.entries.bytes[row]);
  }

  #finish(row: number): void {
    try {
      this.#settle(row, this.#fileAt(row));
    } finally {
      this.#thread.closeFile(row);
    }
  }

  /**
   * A file that is given its length before its bytes has that on the disk before them. Its time
   * comes when they are there, too: one of that length and time is believed to have them.
   */
  #endWriting(row: number): void {
    const { flags } = this.#thread.view.entries;
    this.#thread.closeFile(row);
    const isDamaged = (Atomics.load(flags, row) & ENTRY_FLAG.damaged) !== 0;
    if (!isDamaged) Atomics.or(flags, row, ENTRY_FLAG.written);
  }

  #note(row: number, file: TargetFile): void {
    this.#thread.fileSystem.statOpen(file, stat);
    noteFile(this.#thread.view.entries, row, stat);
  }

  #fileAt(row: number): TargetFile {
    return this.#thread.openFile(row, () => openExisting(this.#thread, row));
  }

  #create(row: number, wanted = entryAttributes(this.#thread.view, row)): TargetFile {
    const { view, fileSystem, run } = this.#thread;
    const name = entryName(view, row);
    assertPermitted({ path: name }, ENTRY_TYPE.file, wanted, run.policy);
    removeOccupant(this.#thread, row, view.entries.directory[row], name);
    const directory = this.#thread.directoryAt(view.entries.directory[row]);
    return fileSystem.createFile(directory, name, wanted);
  }

  #makeLink(row: number, { arena, offset, length }: PlainRegion): void {
    const { view, fileSystem, run } = this.#thread;
    const name = entryName(view, row);
    if (length === 0) throw emptyLink(name);
    const wanted = entryAttributes(view, row);
    assertPermitted({ path: name }, ENTRY_TYPE.symlink, wanted, run.policy);
    removeOccupant(this.#thread, row, view.entries.directory[row], name);
    const target = arena.bytes.slice(offset, offset + length);
    const directory = this.#thread.directoryAt(view.entries.directory[row]);
    fileSystem.makeSymlink(directory, name, target);
    this.#settleAt(row, name, { type: 'l', linkTarget: target });
  }

  #makeSpecial(row: number): void {
    const { view, fileSystem, run } = this.#thread;
    const name = entryName(view, row);
    const special = specialEntry(view, row);
    const stripped = strippedDevice(special, run.policy);
    if (stripped) {
      this.#tally.differ(row, [stripped]);
      view.entries.action[row] = ENTRY_ACTION.failed;
      return;
    }
    assertPermitted({ path: name }, SPECIAL_TYPES[special.type], special, run.policy);
    removeOccupant(this.#thread, row, view.entries.directory[row], name);
    const directory = this.#thread.directoryAt(view.entries.directory[row]);
    fileSystem.makeSpecial(directory, name, special);
    this.#settleAt(row, name, special);
  }

  #settleAt(row: number, name: Uint8Array, node: Node): void {
    const { view, fileSystem, run } = this.#thread;
    const wanted = entryAttributes(view, row);
    const directory = this.#thread.directoryAt(view.entries.directory[row]);
    const { policy } = run;
    this.#tally.differ(row, settleAt(fileSystem, directory, name, wanted, { node, policy }));
  }

  /** The bytes are there already. */
  #settleExisting(row: number): void {
    const { view, fileSystem } = this.#thread;
    const directory = this.#thread.directoryAt(view.entries.directory[row]);
    const options = { allowsSeveralNames: true, access: 'settle' } as const;
    const file = fileSystem.openFile(directory, entryName(view, row), options);
    if (file === undefined) throw fileGone(entryName(view, row));
    using opened = file;
    this.#settle(row, opened);
  }

  #settle(row: number, file: TargetFile, wanted = entryAttributes(this.#thread.view, row)): void {
    const { view, fileSystem, run } = this.#thread;
    if (view.entries.action[row] === ENTRY_ACTION.update && wanted.extras?.holes) {
      fileSystem.punchHoles(file, wanted.extras.holes);
    }
    const bytes = view.entries.bytes[row];
    const differences = settleFile(fileSystem, file, wanted, { bytes, policy: run.policy });
    this.#tally.files += 1;
    this.#tally.differ(row, differences);
  }
}

/** symlink(2) gives ENOENT for it; told before, so that nothing gives way to it. */
function emptyLink(name: Uint8Array): EngineError {
  const shown = JSON.stringify(Buffer.from(name).toString());
  const text = `cannot make the link ${shown}: its target in the snapshot is empty`;
  return new EngineError('TARGET_ENTRY_FAILED', `${text}; Linux has no such links`);
}

const OWNER_READS_AND_WRITES = 0o600;

/** Of a file that is opened by its name before it is done: its own bits are set at the end. */
function openedAgain(wanted: WantedAttributes): WantedAttributes {
  return { ...wanted, mode: wanted.mode | OWNER_READS_AND_WRITES };
}

const SPECIAL_TYPES = Object.freeze({
  p: ENTRY_TYPE.fifo,
  k: ENTRY_TYPE.socket,
  c: ENTRY_TYPE.characterDevice,
  b: ENTRY_TYPE.blockDevice,
});

const ZEROS = Buffer.alloc(64 << 10);

function isZero({ arena, offset, length }: PlainRegion): boolean {
  const end = offset + length;
  for (let start = offset; start < end; start += ZEROS.length) {
    const stop = Math.min(end, start + ZEROS.length);
    if (ZEROS.compare(arena.bytes, start, stop, 0, stop - start) !== 0) return false;
  }
  return true;
}
