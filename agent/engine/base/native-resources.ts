// What native code has allocated for us and only native code can free: contexts of OpenSSL and of
// zstd. Freed when their owner is collected, and when their thread ends, which collects nothing: a
// process that opens repositories again and again would else grow with each.

const endings: (() => void)[] = [];

export class NativeResources<Handle> {
  readonly #free: (handle: Handle) => void;
  readonly #living = new Set<Handle>();
  readonly #collected: FinalizationRegistry<Handle>;

  constructor(free: (handle: Handle) => void) {
    this.#free = free;
    this.#collected = new FinalizationRegistry(handle => this.#release(handle));
    endings.push(() => {
      for (const handle of [...this.#living]) this.#release(handle);
    });
  }

  /** Frees `handle` when nobody refers to `owner` any more. */
  keep(owner: object, handle: Handle): void {
    this.#living.add(handle);
    this.#collected.register(owner, handle);
  }

  #release(handle: Handle): void {
    if (this.#living.delete(handle)) this.#free(handle);
  }
}

/** Calls `end` when this thread ends by itself; for what it has open through native code. */
export function atThreadEnd(end: () => void): void {
  endings.push(end);
}

/** Frees everything of this thread, in which no code may run afterwards. */
export function freeNativeResources(): void {
  for (const end of endings.splice(0)) end();
}
