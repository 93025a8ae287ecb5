import t from 'tap';
import { HEADER_WORDS } from '#engine/snapshot/source/change-record.ts';
import {
  type DirectoryRecord,
  RecordNode,
  RecordOrder,
  RECORDS_WAITING_BYTES_MAX,
} from '#engine/snapshot/upload/record-order.ts';
import { newSeed, SeededRandom } from '#test/support/random.ts';

interface Tree {
  readonly id: number;
  readonly children: readonly Tree[];
}

let nextId = 0;

function randomTree(random: SeededRandom, depth: number): Tree {
  const count = depth === 0 ? 0 : random.below(5);
  return {
    children: Array.from({ length: count }, () => randomTree(random, depth - 1)),
    id: nextId++,
  };
}

function recordOf(id: number, words = HEADER_WORDS): DirectoryRecord {
  const record = new Uint32Array(words);
  record[2] = id;
  return record;
}

/** Children in their order, then the directory. */
function expected({ id, children }: Tree): number[] {
  return [...children.flatMap(expected), id];
}

t.test('records come in one order, whoever finishes first', async t => {
  const seed = newSeed();
  t.comment(`seed ${seed}`);
  const random = new SeededRandom(seed);
  for (let round = 0; round < 100; round++) {
    const tree = randomTree(random, 4);
    const emitted: number[] = [];
    const order = new RecordOrder(record => void emitted.push(record[2]));
    finishAtRandom(order, tree, random);
    t.strictSame(emitted, expected(tree));
  }
});

/** Begins and ends directories as an upload does: children after parents, ends from below. */
function finishAtRandom(order: RecordOrder, tree: Tree, random: SeededRandom): void {
  interface Open {
    readonly tree: Tree;
    readonly node: RecordNode;
    readonly parent: Open | undefined;
    next: number;
    left: number;
  }
  const open: Open[] = [];
  const begin = (child: Tree, position: number, parent: Open | undefined): void => {
    const node = new RecordNode(parent?.node, position);
    open.push({ tree: child, node, parent, next: 0, left: child.children.length });
  };
  begin(tree, 0, undefined);
  while (open.length > 0) {
    const index = random.below(open.length);
    const one = open[index];
    if (one.next < one.tree.children.length) {
      begin(one.tree.children[one.next], one.next, one);
      one.next++;
    } else if (one.left === 0) {
      order.finish(one.node, recordOf(one.tree.id));
      open.splice(index, 1);
      if (one.parent) one.parent.left--;
    }
  }
}

t.test('a directory without a record holds nobody up', async t => {
  const emitted: number[] = [];
  const order = new RecordOrder(record => void emitted.push(record[2]));
  const root = new RecordNode(undefined, 0);
  const [first, second] = [new RecordNode(root, 0), new RecordNode(root, 1)];
  order.finish(second, recordOf(2));
  t.strictSame(emitted, []);
  order.finish(first, undefined);
  t.strictSame(emitted, [2]);
  order.finish(root, recordOf(3));
  t.strictSame(emitted, [2, 3]);
});

t.test('when too much waits, it goes ahead', async t => {
  const emitted: number[] = [];
  const order = new RecordOrder(record => void emitted.push(record[2]));
  const root = new RecordNode(undefined, 0);
  const slow = new RecordNode(root, 0);
  const words = RECORDS_WAITING_BYTES_MAX / 4 / 4;
  for (let id = 1; id <= 6; id++) order.finish(new RecordNode(root, id), recordOf(id, words));
  t.strictSame(emitted, [5, 6]);
  order.finish(slow, recordOf(0));
  t.strictSame(emitted, [5, 6, 0, 1, 2, 3, 4], 'each of them once');
});
