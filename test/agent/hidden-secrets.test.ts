// A storage server that repeats secrets in its messages, and an agent that must not: not in its
// log, not in `status.message`, not in events.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { POD_VOLUME_BACKUPS } from '#agent/moves/objects/pod-volume-backup.ts';
import { EVENTS } from '#kube/events.ts';
import * as velero from '#test/demo/velero-objects.ts';
import { answerError, startFakeS3 } from '#test/engine/storage/fake-s3.ts';
import type { KubeEmulator, SeedObject } from '#test/kube-emulator/kube-emulator.ts';
import { BACKUP, ended, PASSWORD, startAgent } from '#test/support/agent-scene.ts';

const KEYS = {
  id: 'KEYIDTHATISASECRET',
  secret: 'wJalr/XUtn+FEMI',
  token: 'FwoGZX/session+token==',
};
const SIGNATURE = '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b';

const CREDENTIALS = `[default]
aws_access_key_id = ${KEYS.id} # of the backups
  aws_secret_access_key=${KEYS.secret}
aws_session_token = ${KEYS.token}
region = eu-central-1
`;

/** What the storage says: keys, the password, a URL that would let anybody in. */
const TOLD =
  `${KEYS.id} ${PASSWORD} https://b.example/x?X-Amz-Credential=${KEYS.id}%2F20260101` +
  `&X-Amz-Security-Token=${encodeURIComponent(KEYS.token)}&X-Amz-Signature=${SIGNATURE}&x=1 ` +
  `${KEYS.secret} eu-central-1`;

function location(endpoint: string, spec: object): SeedObject {
  return {
    kind: 'BackupStorageLocation',
    metadata: { name: 'default', namespace: 'velero' },
    spec: {
      provider: 'aws',
      config: { s3Url: endpoint, region: 'minio' },
      objectStorage: { bucket: 'bucket' },
      ...spec,
    },
    status: { phase: 'Available' },
  };
}

async function play(
  t: Test,
  spec: object,
  prepare: (api: KubeEmulator) => void = () => {},
  flags: readonly string[] = [],
): Promise<void> {
  const fake = await startFakeS3(t);
  fake.play((_request, response) => answerError(response, 403, 'AccessDenied', TOLD));
  const { api, lines, says, runPod } = await startAgent(t, {
    prepare: api => {
      api.put(location(fake.endpoint, spec));
      prepare(api);
    },
    flags,
  });
  await says('ready');
  api.add(velero.podVolumeBackup('daily-1', BACKUP, runPod('web', 'text')));
  const status = await ended(api, POD_VOLUME_BACKUPS, 'daily-1');
  t.equal(status?.phase, 'Failed');
  await says('move ended');
  const eventOf = () => api.objects(EVENTS, 'velero')[0];
  while (eventOf() === undefined) await new Promise(setImmediate);
  const written = {
    'status.message': String(status?.message),
    'the event': JSON.stringify(eventOf()),
    'the log': lines.join(''),
  };
  for (const [where, text] of Object.entries(written)) {
    t.match(text, 'eu-central-1', `${where} says what is no secret`);
    t.match(text, 'X-Amz-Signature=[hidden]&x=1', where);
    const secrets = [PASSWORD, SIGNATURE, encodeURIComponent(KEYS.token), ...Object.values(KEYS)];
    for (const secret of secrets) t.notOk(text.includes(secret), `${where} without ${secret}`);
  }
  for (const line of lines) t.ok(JSON.parse(line), 'a line is JSON still');
}

t.test('keys of a Secret are in nothing that is written', async t => {
  const data = { cloud: Buffer.from(CREDENTIALS).toString('base64') };
  const metadata = { name: 'cloud-credentials', namespace: 'velero' };
  const credential = { name: metadata.name, key: 'cloud' };
  await play(t, { credential }, api => void api.put({ kind: 'Secret', metadata, data }));
});

t.test('keys of the file of --credentials-file are in nothing that is written', async t => {
  // Beside what the scene makes there.
  const file = join(t.testdirName, 'cloud');
  await play(t, {}, () => writeFileSync(file, CREDENTIALS), ['--credentials-file', file]);
});
