import t from 'tap';
import { patientReader } from '#kube/patient-reader.ts';
import { ManualClock, settle } from '#test/kube/manual-clock.ts';
import { readSecret } from '#agent/repositories/secrets.ts';
import { EngineError } from '#engine/base/errors.ts';
import { systemClock } from '#engine/base/clock.ts';
import { keysOfProfile } from '#agent/repositories/credentials-file.ts';
import {
  CREDENTIALS_AGE_MS_MAX,
  RENEWAL_MS_MAX,
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

t.test('the last credentials go on within seconds while the API server is away', async t => {
  const clock = new ManualClock();
  let isAway = false;
  let isSilent = false;
  let looks = 0;
  const secret = { metadata: { name: 's' }, data: { cloud: Buffer.from('x').toString('base64') } };
  const ask = async () => {
    looks += 1;
    if (isSilent) await new Promise(() => {});
    if (isAway) throw new EngineError('KUBE_UNAVAILABLE', 'away', { retryable: true });
    return secret;
  };
  // As the agent wires it: for as long as a move may wait for its repository. Only `get` is used,
  // whose answer is a Secret here.
  const client = { get: ask, list: ask } as unknown as Parameters<typeof patientReader>[0];
  const kube = patientReader(client, { clock, patienceMs: 600_000 });
  const failures: unknown[] = [];
  const source = renewedCredentials({
    clock,
    read: async signal => {
      const key = { name: 's', key: 'cloud' };
      await readSecret({ kube, namespace: 'velero' }, key, 'keys', signal);
      return { accessKeyId: `AK${looks}`, secretAccessKey: 's' };
    },
    onFailure: error => failures.push(error),
  });
  const waitedMs = async (): Promise<number> => {
    const startMs = clock.monotonic();
    let keys: Awaited<ReturnType<typeof source>> | undefined;
    const asked = source().then(given => (keys = given));
    for (await settle(); keys === undefined;) await clock.pass(1000);
    t.match(await asked, { accessKeyId: 'AK1' });
    return clock.monotonic() - startMs;
  };
  t.equal(await waitedMs(), 0);
  isAway = true;
  for (const state of ['refused', 'silent']) {
    isSilent = state === 'silent';
    await clock.pass(CREDENTIALS_AGE_MS_MAX);
    t.equal(await waitedMs(), RENEWAL_MS_MAX, state);
    t.equal(await waitedMs(), 0, 'and the next request does not wait for the same again');
  }
  t.match(failures, [{ code: 'KUBE_UNAVAILABLE' }, { code: 'KUBE_UNAVAILABLE' }]);
  t.equal(clock.sleeperCount, 0);
});
