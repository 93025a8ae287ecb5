import t from 'tap';
import { EngineError } from '#engine/base/errors.ts';
import { wrap } from '#engine/storage/wrap.ts';
import { contentScene, idsOf, write } from './content-scene.ts';

t.test('a flush succeeds where nothing may be deleted, and says so once', async t => {
  const scene = await contentScene(t);
  const storage = wrap(scene.memory, {
    delete: () => Promise.reject(new EngineError('STORAGE_ACCESS_DENIED', 'no')),
  });
  const warnings: EngineError[] = [];
  const contents = await scene.open({ storage, onWarning: each => warnings.push(each) });
  for (const text of ['one', 'two']) {
    const id = await write(contents, text);
    await contents.writing.flush();
    t.ok(contents.reader.find(id));
  }
  t.equal((await idsOf(scene.memory, 's')).length, 2, 'the markers are left');
  t.match(warnings, [{ code: 'STORAGE_ACCESS_DENIED', message: /does no harm/ }]);
  t.equal(warnings.length, 1);
  const other = await scene.open();
  t.ok(other.reader.find(await write(contents, 'one')), 'others see what was written');
});

t.test('what is no failure of the storage ends the flush', async t => {
  const scene = await contentScene(t);
  const storage = wrap(scene.memory, { delete: () => Promise.reject(new TypeError('a bug')) });
  const contents = await scene.open({ storage });
  await write(contents, 'one');
  await t.rejects(contents.writing.flush(), { message: /a bug/ });
});
