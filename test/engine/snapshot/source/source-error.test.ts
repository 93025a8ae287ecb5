// What is said of a source that the system refuses.

import t from 'tap';
import { rootError, sourceError } from '#engine/snapshot/source/source-error.ts';

const path = Buffer.from('/dev/sdb');

t.test('a device that a container may not open says what it needs', async t => {
  const error = rootError({ attempt: 'open device', path, errno: 'EPERM' });
  t.equal(error.code, 'SOURCE_UNREADABLE');
  t.match(error.message, /^cannot open device \/dev\/sdb: EPERM; .* when it is privileged$/);
});

t.test('what is no device, or another error, is a matter of permissions', async t => {
  for (const options of [
    { attempt: 'open', errno: 'EPERM' },
    { attempt: 'open device', errno: 'EACCES' },
  ]) {
    const { message } = sourceError({ path, ...options });
    t.match(message, /; check its permissions and the health of its file system$/);
  }
});
