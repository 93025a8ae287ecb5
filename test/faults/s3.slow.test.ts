// Some of the troubles that an S3 server can be in; test/long/s3.test.ts has all of them.

import t from 'tap';
import { costsOnlyTime, endsByName, missesPack, s3Scene } from './failing-s3.ts';

const scene = await s3Scene(t);

for (const name of ['503 with Retry-After', 'connections that die in the middle of a body']) {
  t.test(`${name}, once for each request, only cost time`, async t => {
    await costsOnlyTime(t, scene, name);
  });
}

for (const name of ['403', 'a connection that stalls']) {
  t.test(`${name}, for good, ends a backup and a restore by name`, async t => {
    await endsByName(t, scene, name);
  });
}

t.test('a pack that the server does not have is missing and no failure of the server', async t => {
  await missesPack(t, scene);
});
