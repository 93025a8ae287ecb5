// Collects small files with their bytes and writes them many at a time: one message to the target's
// thread for hundreds of files.

import type { RestoredFile } from './file-window.ts';
import type { RestoreReport } from './restore-report.ts';
import type { SmallFile } from './target-tasks.ts';
import type { Target } from './target.ts';

const BATCH_BYTES = 4 << 20;
const BATCH_FILES = 512;

export interface SmallFilesParts {
  readonly target: Target;
  readonly report: RestoreReport;
}

export class SmallFiles {
  readonly #target: Target;
  readonly #report: RestoreReport;
  #files: RestoredFile[] = [];
  #pieces: Uint8Array[] = [];
  #bytes = 0;

  constructor({ target, report }: SmallFilesParts) {
    this.#target = target;
    this.#report = report;
  }

  async add(file: RestoredFile, bytes: Uint8Array): Promise<void> {
    this.#files.push(file);
    this.#pieces.push(bytes);
    this.#bytes += bytes.length;
    if (this.#bytes >= BATCH_BYTES || this.#files.length >= BATCH_FILES) await this.flush();
  }

  async flush(): Promise<void> {
    const files = this.#files;
    if (files.length === 0) return;
    const joined = new Uint8Array(new ArrayBuffer(this.#bytes));
    const described = this.#layOut(joined);
    this.#files = [];
    this.#pieces = [];
    this.#bytes = 0;
    const outcomes = await this.#target.small(joined, described);
    for (const [index, file] of files.entries()) {
      if (this.#report.outcome(file.path, outcomes[index])) {
        this.#report.files++;
        this.#report.bytes += described[index].length;
      }
      await this.#target.release(file.directory);
    }
    this.#report.progress(files[files.length - 1].path);
  }

  /** Copies the pieces into `joined` and says where each file's lie. */
  #layOut(joined: Uint8Array): SmallFile[] {
    let start = 0;
    return this.#files.map(({ directory, name, attributes }, index) => {
      const piece = this.#pieces[index];
      joined.set(piece, start);
      start += piece.length;
      const place = { start: start - piece.length, length: piece.length };
      return { directoryId: directory.id, name, attributes, ...place };
    });
  }
}
