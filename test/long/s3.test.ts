// Every trouble that an S3 server can be in, for a moment and for good.

import t from 'tap';
import { costsOnlyTime, endsByName, PASSING, s3Scene, STAYING } from '#test/faults/failing-s3.ts';

const scene = await s3Scene(t);

for (const name of Object.keys(PASSING)) {
  t.test(`${name}, once for each request, only cost time`, async t => {
    await costsOnlyTime(t, scene, name);
  });
}

for (const name of Object.keys(STAYING)) {
  t.test(`${name}, for good, ends a backup and a restore by name`, async t => {
    await endsByName(t, scene, name);
  });
}
