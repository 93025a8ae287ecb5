// A storage that is slow: its server stands still (SIGSTOP) but for a share of each moment. So a
// small volume is under way for as long as a test wants to.

import type { RunningServer } from '#test/servers/start.ts';

const MOMENT_MS = 250;

export class SlowServer implements Disposable {
  /** Of its time that it works; none at 0, all at 1. From the next moment on. */
  share: number;
  readonly #server: Pick<RunningServer, 'pause' | 'resume'>;
  readonly #moments = setInterval(() => this.#work(), MOMENT_MS);
  #stop: NodeJS.Timeout | undefined;

  constructor(server: Pick<RunningServer, 'pause' | 'resume'>, share: number) {
    this.#server = server;
    this.share = share;
    this.#work();
  }

  /** At once. */
  stand(): void {
    this.share = 0;
    this.#work();
  }

  #work(): void {
    clearTimeout(this.#stop);
    if (this.share === 0) return this.#server.pause();
    this.#server.resume();
    if (this.share === 1) return;
    this.#stop = setTimeout(() => this.#server.pause(), MOMENT_MS * this.share);
  }

  [Symbol.dispose](): void {
    clearInterval(this.#moments);
    clearTimeout(this.#stop);
    this.#server.resume();
  }
}
