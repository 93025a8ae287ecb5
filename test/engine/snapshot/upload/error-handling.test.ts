import t from 'tap';
import {
  errorHandlingAt,
  type ErrorHandling,
  isIgnored,
} from '#engine/snapshot/upload/error-handling.ts';

const strict: ErrorHandling = {
  ignoresFileErrors: false,
  ignoresDirectoryErrors: false,
  ignoresUnknownTypes: false,
};

t.test('the policy of the nearest directory holds', async t => {
  const files = { ...strict, ignoresFileErrors: true };
  const directories = { ...strict, ignoresDirectoryErrors: true };
  const below = new Map([
    ['a', files],
    ['a/b/c', directories],
  ]);
  const at = (path: string) => errorHandlingAt({ root: strict, below }, path);
  t.equal(at('a'), files);
  t.equal(at('a/b'), files);
  t.equal(at('a/b/c'), directories);
  t.equal(at('a/b/c/d/e'), directories);
  t.equal(at('ab'), strict);
  t.equal(at(''), strict);
});

t.test('each kind of error is passed over by its own flag', async t => {
  const kinds = ['file', 'directory', 'unknown type'] as const;
  const flags = ['ignoresFileErrors', 'ignoresDirectoryErrors', 'ignoresUnknownTypes'] as const;
  for (const [index, flag] of flags.entries()) {
    const handling = { ...strict, [flag]: true };
    t.strictSame(
      kinds.map(kind => isIgnored(handling, kind)),
      kinds.map((_kind, other) => other === index),
    );
  }
});
