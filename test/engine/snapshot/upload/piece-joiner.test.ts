import t from 'tap';
import { PieceJoiner } from '#engine/snapshot/upload/piece-joiner.ts';
import { encodeText } from '#engine/snapshot/upload/piece-builder.ts';

const text = (bytes: Uint8Array | number) =>
  typeof bytes === 'number' ? bytes : Buffer.from(bytes).toString();

t.test('pieces are joined by commas up to a size, in order, in memory of their own', async t => {
  const joiner = new PieceJoiner();
  const list: (Uint8Array | number)[] = [];
  joiner.add(encodeText('a'), list);
  joiner.add(encodeText('bc'), list);
  joiner.finish(list).push(7);
  joiner.finish(list);
  joiner.add(encodeText('x'.repeat(300_000)), list);
  joiner.add(encodeText('d'), list);
  joiner.finish(list);
  t.strictSame(list.map(text), ['a,bc', 7, 'x'.repeat(300_000), 'd']);
  const buffers = list.filter(item => item instanceof Uint8Array).map(({ buffer }) => buffer);
  t.strictSame(joiner.fresh, buffers);
});
