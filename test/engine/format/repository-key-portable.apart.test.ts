import t from 'tap';
import { toHex } from '#engine/base/bytes.ts';
import { derivePasswordKey } from '#engine/format/repository-key.ts';
import { sequence } from './text-bytes.ts';

// As in a process that was started with --jitless.
Reflect.deleteProperty(globalThis, 'WebAssembly');

t.test('without WebAssembly the same key is derived', async t => {
  const { formatKey } = await derivePasswordKey('scrypt-65536-8-1', 'test-password', sequence(0));
  t.equal(toHex(formatKey), 'c25bccae074678f4ce6443ce46b56229e112e00ee0e52a53ff3ab35aeec3bac7');
});
