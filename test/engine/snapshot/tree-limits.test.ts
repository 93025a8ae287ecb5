import t from 'tap';
import {
  depthFault,
  DIRECTORY_BYTES_MAX,
  sizeFault,
  TREE_DEPTH_MAX,
} from '#engine/snapshot/tree-limits.ts';

t.test('a directory is stored as deep as it can be read', async t => {
  const namesOf = (levels: number) => Array.from({ length: levels - 1 }, () => new Uint8Array(1));
  t.equal(depthFault([]), undefined);
  t.equal(depthFault(namesOf(TREE_DEPTH_MAX)), undefined);
  t.match(depthFault(namesOf(TREE_DEPTH_MAX + 1)), {
    code: 'SOURCE_TOO_LARGE',
    message: /4096 levels deep.*; back up one further down by itself$/,
  });
});

t.test('and as large', async t => {
  // The same memory many times.
  const piece = new Uint8Array(2 ** 20);
  const whole = Array.from({ length: DIRECTORY_BYTES_MAX / piece.length }, () => piece);
  t.equal(sizeFault(whole), undefined);
  t.match(sizeFault([...whole, new Uint8Array(1)]), {
    code: 'SOURCE_TOO_LARGE',
    message: /take 536870913 bytes, .*; spread them over several directories/,
  });
});
