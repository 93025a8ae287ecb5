import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { estimateTree } from '#engine/cli/estimate.ts';

const never = new AbortController().signal;

t.test('files and bytes are counted, links are not followed', async t => {
  const directory = t.testdir({ a: '12345', b: { c: '123', d: {} } });
  symlinkSync('/', join(directory, 'everything'));
  t.strictSame(await estimateTree(directory, never), { files: 2, bytes: 8 });
});

t.test('there is no estimate of what is missing, no directory, or no longer wanted', async t => {
  const directory = t.testdir({ a: '' });
  t.equal(await estimateTree(join(directory, 'b'), never), undefined);
  t.equal(await estimateTree(join(directory, 'a'), never), undefined);
  t.equal(await estimateTree(directory, AbortSignal.abort()), undefined);
});
