// Writes what the next backup will want to know (docs/change-detection.md): records of directories
// in one stream, cut where keys say so, that equal parts of it are equal contents; an index behind.

import type { TaskRunner } from '#engine/workers/tasks.ts';
import type { ChangesNote } from '#engine/snapshot/changes-note.ts';
import { CHANGES_CHUNK_BYTES_MAX } from './change-chunks.ts';
import { ChangeIndexBuilder } from './change-index.ts';
import { type DirectoryRecord, RecordOrder } from './record-order.ts';
import type { UploadRun, UploadTasks } from './upload-tasks.ts';

const CHUNK_BYTES_MIN = 128 * 1024;
/** One of so many directories ends a content that is long enough. */
const CUT_EVERY = 16;
const KEY_LOW = 2;
const KEY_HIGH = 3;

export class ChangeWriter {
  readonly order = new RecordOrder(record => {
    this.#add(record);
  });
  readonly #runner: TaskRunner<UploadTasks>;
  readonly #run: UploadRun;
  readonly #index = new ChangeIndexBuilder();
  readonly #chunks: Promise<string>[] = [];
  readonly #lengths: number[] = [];
  #chunk = new Uint8Array(CHANGES_CHUNK_BYTES_MAX);
  #chunkBytes = 0;
  #offset = 0;

  constructor(runner: TaskRunner<UploadTasks>, run: UploadRun) {
    this.#runner = runner;
    this.#run = run;
  }

  /** Writes what is left; undefined when nothing is known. Durable after the next flush. */
  async finish(): Promise<ChangesNote | undefined> {
    if (this.#index.count === 0) return undefined;
    const index = this.#offset;
    const table = this.#index.build();
    // Of a small tree all is one content; of a large one the index changes more often.
    if (this.#chunkBytes + table.byteLength > CHANGES_CHUNK_BYTES_MAX) this.#cut();
    this.#append(new Uint8Array(table.buffer));
    this.#cut();
    const contentIds = await Promise.all(this.#chunks);
    const input = { run: this.#run, contentIds, lengths: this.#lengths };
    const { objectId } = await this.#runner.run('listChanges', input);
    return { version: 1, object: objectId, index, slots: table.length / 2 };
  }

  #add(record: DirectoryRecord): void {
    if (this.#index.isFull) return;
    const key = { low: record[KEY_LOW], high: record[KEY_HIGH] };
    this.#index.add(key, this.#offset);
    this.#append(new Uint8Array(record.buffer));
    if (this.#chunkBytes >= CHUNK_BYTES_MIN && key.low % CUT_EVERY === 0) this.#cut();
  }

  #append(bytes: Uint8Array): void {
    for (let start = 0; start < bytes.length;) {
      const room = CHANGES_CHUNK_BYTES_MAX - this.#chunkBytes;
      const part = bytes.subarray(start, start + room);
      this.#chunk.set(part, this.#chunkBytes);
      this.#chunkBytes += part.length;
      start += part.length;
      if (this.#chunkBytes === CHANGES_CHUNK_BYTES_MAX) this.#cut();
    }
    this.#offset += bytes.length;
  }

  #cut(): void {
    if (this.#chunkBytes === 0) return;
    const bytes = this.#chunk.slice(0, this.#chunkBytes);
    const input = { run: this.#run, bytes };
    const written = this.#runner
      .run('writeChanges', input, { transfer: [bytes.buffer], isBrief: true })
      .then(({ contentId }) => contentId);
    // It is awaited at the end; until then nobody else looks at a failure.
    written.catch(() => undefined);
    this.#chunks.push(written);
    this.#lengths.push(this.#chunkBytes);
    this.#chunkBytes = 0;
  }
}
