import t from 'tap';
import { hidingMover } from '#agent/hiding-mover.ts';
import { failureMessage } from '#agent/moves/move-message.ts';
import { EngineError } from '#engine/base/errors.ts';
import { ScriptedMover } from '#test/moves/scripted-mover.ts';

const order = {
  repository: { volumeNamespace: 'app', backupStorageLocation: 'default' },
  volume: { podUid: 'uid', podNamespace: 'app', podName: 'web', volume: 'data' },
  moveUid: 'move',
};
const options = { signal: new AbortController().signal };
const hide = (text: string) => text.replaceAll('the-secret', '[hidden]');

function failing(error: Error) {
  return hidingMover(new ScriptedMover(() => ({ error })), hide).backup(order, options);
}

t.test('an error keeps all but the secret in its message', async t => {
  const details = { status: 403 };
  const error = new EngineError('STORAGE_THROTTLED', 'slow down, the-secret', { details });
  const hidden = { code: error.code, message: 'slow down, [hidden]', details, retryable: true };
  await t.rejects(failing(error), hidden);
  const other = new EngineError('STORAGE_FULL', 'no space');
  t.equal(await failing(other).catch((caught: unknown) => caught), other);
  await t.rejects(failing(new TypeError('the-secret')), { code: 'INTERNAL', message: '[hidden]' });
});

t.test('nothing of a secret is left where a long message is cut through it', async t => {
  const error = new EngineError('STORAGE_FULL', `${'.'.repeat(980)}the-secret${'.'.repeat(99)}`);
  const message = failureMessage(await failing(error).catch((caught: unknown) => caught));
  t.match(message, /\.\[hidden\]\.*…$/);
});

t.test('what is said of files is looked at, too', async t => {
  const result = { skipped: ['a: the-secret', 'b: gone'] };
  const mover = hidingMover(new ScriptedMover(() => ({ result })), hide);
  const { skipped, totalBytes } = await mover.backup(order, options);
  t.strictSame({ skipped, totalBytes }, { skipped: ['a: [hidden]', 'b: gone'], totalBytes: 5000 });
});
