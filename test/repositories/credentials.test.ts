import t from 'tap';
import { EngineError } from '#engine/base/errors.ts';
import { systemClock } from '#engine/base/clock.ts';
import { keysOfProfile } from '#agent/repositories/credentials-file.ts';
import {
  CREDENTIALS_AGE_MS_MAX,
  renewedCredentials,
} from '#agent/repositories/renewed-credentials.ts';

const FILE = `# comment
[default]
aws_access_key_id = AKDEFAULT
AWS_SECRET_ACCESS_KEY=s3cr/et+=#;1   # said by hand

[profile other]\r
aws_access_key_id = AKOTHER\r
aws_secret_access_key = two\r
aws_session_token = token\r
[role]
role_arn = arn:aws:iam::1:role/r
aws_access_key_id = AKROLE
aws_secret_access_key = three
[half]
aws_access_key_id = AKHALF
`;

t.test('the keys of a profile are read as Amazon writes them', async t => {
  t.strictSame(keysOfProfile(FILE, 'default'), {
    accessKeyId: 'AKDEFAULT',
    secretAccessKey: 's3cr/et+=#;1',
  });
  t.strictSame(keysOfProfile(FILE, 'other'), {
    accessKeyId: 'AKOTHER',
    secretAccessKey: 'two',
    sessionToken: 'token',
  });
  for (const profile of ['role', 'half', 'none', '']) {
    t.equal(keysOfProfile(FILE, profile), undefined, profile);
  }
  t.equal(keysOfProfile('', 'default'), undefined);
});

t.test('credentials are looked up again, and the last ones go on when that fails', async t => {
  let nowMs = 0;
  let reads = 0;
  let failure: Error | undefined;
  const failures: unknown[] = [];
  const source = renewedCredentials({
    clock: { ...systemClock, monotonic: () => nowMs },
    read: () => {
      reads += 1;
      if (failure) return Promise.reject(failure);
      return Promise.resolve({ accessKeyId: `AK${reads}`, secretAccessKey: 's' });
    },
    onFailure: error => failures.push(error),
  });
  failure = new EngineError('SECRET_NOT_FOUND', 'gone');
  await t.rejects(source(), { code: 'SECRET_NOT_FOUND' });
  failure = undefined;
  const both = await Promise.all([source(), source()]);
  t.strictSame(
    both.map(({ accessKeyId }) => accessKeyId),
    ['AK2', 'AK2'],
    'one look for both',
  );
  nowMs += CREDENTIALS_AGE_MS_MAX - 1;
  t.equal((await source()).accessKeyId, 'AK2');
  nowMs += 1;
  t.equal((await source()).accessKeyId, 'AK3');
  failure = new EngineError('KUBE_NOT_FOUND', 'gone');
  nowMs += CREDENTIALS_AGE_MS_MAX;
  t.equal((await source()).accessKeyId, 'AK3');
  t.equal((await source()).accessKeyId, 'AK3');
  t.strictSame([reads, failures], [4, [failure]], 'and is not tried at every request');
});
