import t from 'tap';
import { abortedError, throwIfAborted } from '#engine/base/abort.ts';
import {
  deserializeError,
  EngineError,
  isEngineError,
  messageOf,
  serializeError,
  systemCodeOf,
} from '#engine/base/errors.ts';

t.test('an error crosses a thread boundary with all but its cause', async t => {
  const error = new EngineError('STORAGE_TIMEOUT', 'it took too long', {
    retryable: false,
    details: { blobId: 'p1' },
    cause: new Error('socket'),
  });
  const copy = deserializeError(structuredClone(serializeError(error)));
  t.type(copy, EngineError);
  const { code, message, retryable, details, name } = copy;
  t.strictSame(
    { code, message, retryable, details, name },
    {
      code: 'STORAGE_TIMEOUT',
      message: 'it took too long',
      retryable: false,
      details: { blobId: 'p1' },
      name: 'EngineError',
    },
  );
});

t.test('an error of somebody else becomes INTERNAL and keeps its stack for us', async t => {
  const serialized = serializeError(new TypeError('x is not a function'));
  t.match(serialized, { code: 'INTERNAL', message: 'x is not a function', retryable: false });
  t.match(serialized.details.stack, 'errors.test.ts');
  t.equal(serializeError('thrown text').message, 'thrown text');
});

t.test('whether to try again follows from the code unless it is said', async t => {
  t.equal(new EngineError('STORAGE_UNAVAILABLE', '').retryable, true);
  t.equal(new EngineError('STORAGE_FULL', '').retryable, false);
  t.equal(new EngineError('STORAGE_FULL', '', { retryable: true }).retryable, true);
});

t.test('errors are told apart by their codes', async t => {
  const error: unknown = new EngineError('ABORTED', '');
  t.ok(isEngineError(error));
  t.ok(isEngineError(error, 'USAGE', 'ABORTED'));
  t.notOk(isEngineError(error, 'USAGE'));
  t.notOk(isEngineError(new Error('ABORTED'), 'ABORTED'));
});

t.test('anything that was thrown has a text, and system errors a code', async t => {
  t.equal(messageOf(new Error('text')), 'text');
  t.equal(messageOf(7), '7');
  t.equal(systemCodeOf(Object.assign(new Error(), { code: 'ENOENT' })), 'ENOENT');
  t.equal(systemCodeOf(Object.assign(new Error(), { code: 7 })), undefined);
  t.equal(systemCodeOf({ code: 'ENOENT' }), undefined);
});

t.test('a reason for the abort that is an error of ours stays itself', async t => {
  const reason = new EngineError('STORAGE_FULL', 'no room');
  t.equal(abortedError(AbortSignal.abort(reason)), reason);
  const cancelled = abortedError(AbortSignal.abort('enough'));
  t.match(cancelled, { code: 'ABORTED', cause: 'enough' });
  t.doesNotThrow(() => throwIfAborted(undefined));
  t.doesNotThrow(() => throwIfAborted(new AbortController().signal));
  t.throws(() => throwIfAborted(AbortSignal.abort()), { code: 'ABORTED' });
});
