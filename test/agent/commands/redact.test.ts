// What of a bundle is replaced, by what it is called, how it looks, and by what Secrets hold. Each
// text has `leak` in it where nobody may see it.

import t from 'tap';
import { bundledObject, namedConfigMaps } from '#agent/commands/bundled-objects.ts';
import { HiddenTexts } from '#agent/commands/hidden-texts.ts';
import { Redaction } from '#agent/commands/redact.ts';
import { isSecretName } from '#agent/commands/secret-names.ts';
import { secretTextsOf } from '#agent/commands/texts-of-secret.ts';
import type { KubeObject } from '#kube/kube-object.ts';

const NAMES = [
  ...['password', 'dbPassword', 'PGPASSWORD', 'PGPASS', 'MYSQL_PWD', 'pw', 'pass', 'DB_PASS'],
  ...['secret_access_key', 'AWS_SECRET_ACCESS_KEY', 'secretAccessKey', 'accessKey', 'APIKEY'],
  ...['encryptionKey', 'ENCRYPTION_KEY', 'signing_key', 'private-key', 'AccountKey', 'apiToken'],
  ...['--s3-secret-key', 'connection-string', 'auth', 'PASSWORD_KEY', 'clientSecret'],
];
const NO_NAMES = [
  ...['secretName', 'tokenFile', '--password-file', 'secretKeyRef', 'PASSWORD_PATH', 'key'],
  ...['author', 'passes', 'compass', 'kind', 'keyName', 'imagePullSecretsRef', 'monkey'],
];

t.test('what is called like a secret is one, and what names one is none', async t => {
  for (const name of NAMES) t.ok(isSecretName(name), name);
  for (const name of NO_NAMES) t.notOk(isSecretName(name), name);
});

const TEXTS = [
  'aws_access_key_id=leak1\naws_secret_access_key = leak/2+x=\n',
  'secret_key: leak3\naccessKey: leak4',
  'Server=db;User Id=sa;Pwd=leak5;',
  'password: "leak 6 with spaces"',
  '{"password": "leak7\\" and more of leak8", "a": 1}',
  '"message":"{\\"clientSecret\\":\\"leak9\\"}"',
  'spring:\n  password: |-\n    leak10\n    leak11\n  other: here',
  'run --token leak12 --password "leak 13" --pass leak14',
  'export PGPASSWORD=leak15; PASSWORD leak16',
  'the password is leak17',
  'postgres://app:leak/18@db/x mysql://root:leak19@h',
  'app:leak20@tcp(db:3306)/x',
  '-----BEGIN RSA PRIVATE KEY-----\nleak21\nleak22\n-----END RSA PRIVATE KEY-----',
  'key "-----BEGIN PRIVATE KEY-----\\nleak23\\n',
  'used ghp_leak24leak24leak24leak24leak24 and xoxb-leak25-leak25-leak25',
  'https://hooks.slack.com/services/T00/B00/leak26',
  'url=https://host/path?a=b&token=leak28 x=password=leak29',
  '{"auths":{"r":{"auth":"leak27"}}}',
  '-----BEGIN PGP PRIVATE KEY BLOCK-----\n\nleak30\n-----END PGP PRIVATE KEY BLOCK-----',
  '-----BEGIN PRIVATE KEY-----\nle-ak\nleak31-\n-----END PRIVATE KEY-----',
  'hookCommand="[/bin/sh -c mysqldump -u root -pleak32 --all-databases]"',
  '["mysql","-uroot","-pleak33"]',
  'cookie of eyJleak-leak-leak34',
];

t.test('nothing that is called or looks like a secret is left in a text', async t => {
  const { text } = new Redaction();
  for (const each of TEXTS) t.notMatch(text(each), 'leak', each);
  t.match(text(TEXTS[6] ?? ''), 'other: here');
});

t.test('values under a name of a secret are none, nor is the password of mysql', async t => {
  const redaction = new Redaction();
  const value = {
    tokens: ['leak1', ['leak2']],
    command: ['/usr/bin/mysqldump', '-u', 'root', '-pleak3'],
    credential: { name: 'cloud', key: 'cloud' },
    ports: ['ls', '-p3306'],
  };
  t.strictSame(redaction.value(value), {
    tokens: ['[hidden]', ['[hidden]']],
    command: ['/usr/bin/mysqldump', '-u', 'root', '-p[hidden]'],
    credential: { name: 'cloud', key: 'cloud' },
    ports: ['ls', '-p3306'],
  });
});

/** A hundred times what they take, and a hundredth of what they took when it was squared. */
const TEXT_MS_MAX = 5000;

t.test('the time for a text does not grow with its square, whatever is in it', async t => {
  const { text } = new Redaction();
  const length = 400_000;
  for (const piece of ['eyJ-', 'a://', 'a://b:', '--a ', 'a:b', 'mysql -p ', 'password: |\n a\n']) {
    const startMs = performance.now();
    text(piece.repeat(length / piece.length));
    t.ok(performance.now() - startMs < TEXT_MS_MAX, piece);
  }
  const startMs = performance.now();
  const urls = { metadata: { name: 's' }, data: { a: btoa('a://'.repeat(100_000)) } };
  t.ok([...secretTextsOf(urls)].length > 0);
  const alike = new HiddenTexts();
  for (let index = 0; index < 20_000; index++) alike.add(`prefix${10_000_000 + index}`);
  alike.hideIn('prefix1-'.repeat(length / 8));
  t.ok(performance.now() - startMs < TEXT_MS_MAX, 'of a Secret');
  t.match(text(`-----BEGIN PRIVATE KEY-----${'a\n'.repeat(2 ** 22)}`), '[hidden]');
});

t.test('what shows a fault stays', async t => {
  const { text } = new Redaction();
  const kept = [
    '{"level":"error","move":"daily-1","bytes":12,"code":"SECRET_NOT_FOUND","msg":"no such key"}',
    'cannot get secrets velero/cloud: secrets "cloud" is forbidden',
    'secretName: cloud\nkey: cloud\npath: /etc/ssl\nserver: https://minio.example:9000/b?x=1',
  ];
  for (const each of kept) t.equal(text(each), each);
  t.equal(text('{"password":"x","n":1}'), '{"password":"[hidden]","n":1}', 'JSON stays JSON');
});

t.test('texts of a Secret are known however they are quoted and nested in it', async t => {
  const values = {
    yaml: 'user: bob\npassword: "leak-a1"\njson: {"token":"leak-a2"}\n',
    url: 'https://bob:leak-a3@host/',
    json: JSON.stringify({ type: 'x', private_key: 'BEGIN\nleak-a4\nEND' }),
    shell: "export AWS_SECRET='leak-a5'",
    tls: `-----BEGIN CERTIFICATE-----\n${'public\n'.repeat(9)}-----END CERTIFICATE-----\nleak-a6`,
  };
  const data = Object.fromEntries(Object.entries(values).map(([key, text]) => [key, btoa(text)]));
  const texts = [...secretTextsOf({ metadata: { name: 's' }, data })];
  for (const number of [1, 2, 3, 4, 5, 6]) t.ok(texts.includes(`leak-a${number}`), `${number}`);
  t.notOk(texts.includes('public'), 'certificates are public');
  const helm = { metadata: { name: 'h' }, type: 'helm.sh/release.v1', data };
  t.strictSame([...secretTextsOf(helm)], []);
  const account = {
    ...{ metadata: { name: 'a' }, type: 'kubernetes.io/service-account-token' },
    data: { namespace: btoa('velero'), token: btoa('leak-b1') },
  };
  const known = [...secretTextsOf(account)];
  t.ok(known.includes('leak-b1'));
  t.notOk(known.includes('velero'), 'or nothing of Velero could be read in the bundle');
});

t.test('ten thousand texts are found, also where a text was cut, in time that does not grow', t => {
  const hidden = new HiddenTexts();
  for (let index = 0; index < 10_000; index++) hidden.add(`secret-${index}-of-many`);
  hidden.add('secret-7');
  t.equal(hidden.hideIn('a secret-0-of-many b'), 'a [hidden] b', 'the first is not forgotten');
  t.equal(hidden.hideIn('a secret-7-of-many b'), 'a [hidden] b', 'the longest is taken');
  t.equal(hidden.hideIn('a secret-99-o\u2026 b'), 'a [hidden]\u2026 b');
  t.equal(hidden.hideIn('secret-x secret'), 'secret-x secret');
  t.end();
});

t.test('of what is neither ours nor Velero\u2019s, no value is collected', async t => {
  const metadata = { name: 'shop', annotations: { note: 'leak' }, labels: { app: 'shop' } };
  const containers = [{ name: 'a', args: ['leak'], env: [{ name: 'X', value: 'leak' }] }];
  const pod = { kind: 'Pod', metadata, spec: { containers } };
  const map = { kind: 'ConfigMap', metadata, data: { a: 'leak' }, binaryData: { b: 'leak' } };
  for (const object of [pod, map]) {
    const text = JSON.stringify(bundledObject(object, new Set()));
    t.notMatch(text, 'leak');
    t.match(text, '"app":"shop"');
  }
  t.match(bundledObject(pod, new Set()), { spec: { containers: [{ env: [{ name: 'X' }] }] } });
  const whole = (object: KubeObject, known: readonly string[] = []) =>
    bundledObject(object, new Set(known)) === object;
  t.ok(whole(map, ['shop']), 'an agent is told to use it');
  const labelled = { ...metadata, labels: { 'velero.io/plugin-config': '' } };
  t.ok(whole({ ...map, metadata: labelled }));
  t.ok(whole({ ...pod, metadata: { ...metadata, name: 'node-agent-x2k4l' } }));
  const server = { ...pod, spec: { containers: [{ args: ['--node-agent-configmap=na'] }] } };
  const other = { ...pod, spec: { containers: [{ args: ['--repo-configmap', 'repo'] }] } };
  t.strictSame([...namedConfigMaps([server, other])], ['na', 'repo']);
});
