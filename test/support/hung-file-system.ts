// A file system that does not answer, as NFS does when its server is gone: FUSE, and nobody who
// serves it. Whoever asks it something is held in the kernel until it is released.

import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { promisify } from 'node:util';

/** FUSE_MIN_READ_BUFFER (linux include/uapi/linux/fuse.h). */
const REQUEST_BYTES_MAX = 8192 + 132 * 1024;
const IN_HEADER_BYTES = 40;
const OUT_HEADER_BYTES = 16;
/** Of FUSE_INIT since protocol 7.23. */
const INIT_OUT_BYTES = 64;

export class HungFileSystem implements Disposable {
  /** Resolves when somebody is held. */
  readonly reached: Promise<void>;
  readonly #directory: string;
  readonly #fd: number;
  #isReleased = false;

  private constructor(directory: string, fd: number) {
    this.#directory = directory;
    this.#fd = fd;
    this.reached = this.#serve();
  }

  /** On an empty directory; undefined where that is not allowed. */
  static mount(directory: string): HungFileSystem | undefined {
    let fd: number;
    try {
      fd = fs.openSync('/dev/fuse', 'r+');
    } catch {
      return undefined;
    }
    const options = 'fd=3,rootmode=40000,user_id=0,group_id=0';
    const words = ['-i', '-t', 'fuse', '-o', options, 'hung', directory];
    const { status } = spawnSync('mount', words, { stdio: ['ignore', 'pipe', 'pipe', fd] });
    if (status === 0) return new HungFileSystem(directory, fd);
    fs.closeSync(fd);
    return undefined;
  }

  /** Whoever is held gets ENOTCONN. */
  [Symbol.dispose](): void {
    if (this.#isReleased) return;
    this.#isReleased = true;
    // By force: that ends what waits for an answer, the reader of requests included.
    spawnSync('umount', ['-f', '-l', this.#directory]);
    fs.closeSync(this.#fd);
  }

  /** Says hello, so that requests come, and reads the first of them. */
  async #serve(): Promise<void> {
    const read = promisify(fs.read);
    const request = Buffer.alloc(REQUEST_BYTES_MAX);
    await read(this.#fd, request, 0, request.length, null);
    const hello = Buffer.alloc(OUT_HEADER_BYTES + INIT_OUT_BYTES);
    hello.writeUInt32LE(hello.length, 0);
    request.copy(hello, 8, 8, 16); // unique
    request.copy(hello, OUT_HEADER_BYTES, IN_HEADER_BYTES, IN_HEADER_BYTES + 8); // its version
    hello.writeUInt32LE(128 * 1024, OUT_HEADER_BYTES + 20); // max_write
    fs.writeSync(this.#fd, hello);
    await read(this.#fd, request, 0, request.length, null).catch((error: unknown) => {
      if (!this.#isReleased) throw error;
    });
  }
}
