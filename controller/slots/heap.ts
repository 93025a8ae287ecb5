// A binary heap: the first of many in the time that one comparison per level takes.

export class Heap<Item> {
  readonly #items: Item[];
  readonly #compare: (a: Item, b: Item) => number;

  /** Takes `items` over. */
  constructor(compare: (a: Item, b: Item) => number, items: Item[] = []) {
    this.#items = items;
    this.#compare = compare;
    for (let index = (items.length >> 1) - 1; index >= 0; index--) this.#sink(index);
  }

  get size(): number {
    return this.#items.length;
  }

  /** A heap of those of its items that are kept. */
  filter(isKept: (item: Item) => boolean): Heap<Item> {
    return new Heap(this.#compare, this.#items.filter(isKept));
  }

  peek(): Item | undefined {
    return this.#items[0];
  }

  push(item: Item): void {
    const items = this.#items;
    let index = items.length;
    items.push(item);
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (this.#compare(item, items[parent]) >= 0) break;
      items[index] = items[parent];
      index = parent;
    }
    items[index] = item;
  }

  pop(): Item | undefined {
    const items = this.#items;
    const first = items[0];
    const last = items.pop();
    if (last !== undefined && items.length > 0) {
      items[0] = last;
      this.#sink(0);
    }
    return first;
  }

  #sink(from: number): void {
    const items = this.#items;
    const item = items[from];
    let index = from;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= items.length) break;
      const right = child + 1;
      if (right < items.length && this.#compare(items[right], items[child]) < 0) child = right;
      if (this.#compare(item, items[child]) <= 0) break;
      items[index] = items[child];
      index = child;
    }
    items[index] = item;
  }
}
