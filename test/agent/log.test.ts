// What a line of the log looks like, and that no secret is in it.

import t from 'tap';
import { createLog, type LogOptions } from '#agent/log.ts';
import { SecretTexts } from '#agent/log-secrets.ts';
import { EngineError } from '#engine/base/errors.ts';

function logWith(options: Partial<LogOptions> = {}) {
  const lines: string[] = [];
  const log = createLog({
    level: 'info',
    format: 'json',
    write: line => lines.push(line),
    nowMs: () => 0,
    ...options,
  });
  return { log, lines };
}

t.test('a line is one JSON object with a constant message and values in keys', async t => {
  const { log, lines } = logWith();
  log.with({ node: 'worker-1' }).info({ bytes: 12 }, 'snapshot uploaded');
  t.equal(
    lines.join(''),
    '{"level":"info","time":"1970-01-01T00:00:00.000Z","node":"worker-1","bytes":12,' +
      '"message":"snapshot uploaded"}\n',
  );
});

t.test('text is for people, on one line whatever the values hold', async t => {
  const { log, lines } = logWith({ format: 'text' });
  log.warn({ path: 'two\nlines', move: 'velero/a', count: 1 }, 'file left out');
  t.match(
    lines.join(''),
    /^1970-01-01T00:00:00\.000Z WARN {2}file left out path=".*" move=velero\/a count=1\n$/,
  );
  t.equal(lines.join('').split('\n').length, 2);
});

t.test('what is below the level is not written', async t => {
  const { log, lines } = logWith({ level: 'warn' });
  log.info({}, 'no');
  log.debug({}, 'no');
  log.error({}, 'yes');
  t.equal(lines.length, 1);
});

t.test('an error has its code and details, a stack only where it has no code', async t => {
  const { log, lines } = logWith();
  const cause = new Error('connect ECONNREFUSED');
  const error = new EngineError('STORAGE_UNAVAILABLE', 'no', { cause, details: { host: 'h' } });
  log.error({ error }, 'move failed');
  const line: unknown = JSON.parse(lines.join(''));
  t.strictSame((line as { error: unknown }).error, {
    code: 'STORAGE_UNAVAILABLE',
    message: 'no',
    host: 'h',
    cause: 'connect ECONNREFUSED',
  });
  lines.length = 0;
  log.error({ error: new TypeError('ours') }, 'move failed');
  t.match(lines.join(''), /"stack":"TypeError: ours/);
});

t.test('a secret does not get out by its key, its text or its form', async t => {
  const secrets = new SecretTexts();
  secrets.add('s3cret "quoted"');
  const { log, lines } = logWith({ secrets });
  const token = 'eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJrIn0.c2lnbmF0dXJl';
  const error = new EngineError('INTERNAL', 'password s3cret "quoted" refused', {
    details: { secretAccessKey: 'abc', place: { token: 'def' } },
  });
  log.error({ password: 'ghi', error }, 'refused');
  log.info({ header: `Bearer ${token}`, header2: 'authorization: Basic dXNlcjpwYXNz' }, 'sent');
  log.info({ url: 'https://user:pass@host/x', raw: token }, 'opened');
  const all = lines.join('');
  for (const secret of ['abc', 'def', 'ghi', 's3cret', token, 'dXNlcjpwYXNz', 'user:pass']) {
    t.notMatch(all, secret);
  }
  t.match(all, 'https://[hidden]@host/x');
  for (const line of lines) t.ok(JSON.parse(line), 'and each is still JSON');
});

t.test('a secret that begins like another leaves nothing of the other', async t => {
  const secrets = new SecretTexts();
  secrets.add('password');
  secrets.add('password-of-production');
  t.equal(secrets.hideIn('<password-of-production>'), '<[hidden]>');
});

t.test('a secret is hidden as it stands in a URL, and where it was cut', async t => {
  const secrets = new SecretTexts();
  secrets.add('wJalr/XUtn+FEMI');
  t.equal(secrets.hideIn('?key=wJalr%2FXUtn%2BFEMI&x=1'), '?key=[hidden]&x=1');
  t.equal(secrets.hideIn('refused: wJalr/XUt…; try'), 'refused: [hidden]…; try');
  t.equal(secrets.hideIn('refused: wJal…'), 'refused: wJal…', 'too little to be told by');
  t.equal(secrets.hideIn('one… two…'), 'one… two…');
});

t.test('what lets somebody into a bucket is told by its form', async t => {
  const secrets = new SecretTexts();
  const url = 'https://b/x?X-Amz-Credential=A%2Fb&X-Amz-Signature=00ff&X-Amz-Expires=9';
  t.equal(
    secrets.hideIn(url),
    'https://b/x?X-Amz-Credential=[hidden]&X-Amz-Signature=[hidden]&X-Amz-Expires=9',
  );
  const header = 'AWS4-HMAC-SHA256 Credential=A/b, SignedHeaders=host, Signature=00ff';
  t.match(
    secrets.hideIn(header),
    /Credential=\[hidden\], SignedHeaders=host, Signature=\[hidden\]/,
  );
  t.equal(secrets.hideIn('key AKIAIOSFODNN7EXAMPLE is unknown'), 'key [hidden] is unknown');
});

t.test('what lets somebody in by a header is told by its form, and words are not', async t => {
  const { hideIn } = new SecretTexts();
  const rows = [
    ['Authorization: Basic dXNlcjpwYXNz', 'Authorization: Basic [hidden]'],
    ['{"authorization":"Bearer abcdef"}', '{"authorization":"Bearer [hidden]"}'],
    [
      String.raw`{\"authorization\":\"bearer abcd\"}`,
      String.raw`{\"authorization\":\"bearer [hidden]\"}`,
    ],
    ['proxy-authorization=basic a', 'proxy-authorization=basic [hidden]'],
    ['sent Basic dXNlcjpwYXNz', 'sent Basic [hidden]'],
    ['sent basic dTpwYXNz, refused', 'sent basic [hidden], refused'],
    ['sent Basic YTpiYw==', 'sent Basic [hidden]'],
    ['sent BEARER 0123456789abcdef', 'sent BEARER [hidden]'],
    ['sent bearer abcdefghijklmnop', 'sent bearer [hidden]'],
    ['sent Bearer a1b2c3', 'sent Bearer [hidden]'],
    ['sent Bearer mF_9.B5f-4.1JqM', 'sent Bearer [hidden]'],
  ] as const;
  for (const [text, hidden] of rows) t.equal(hideIn(text), hidden);
  const words = [
    'pod shop/basic cannot start',
    'pod shop/basic nightly-x7k2p',
    'the bearer Kubernetes knows',
    'basic authentication is off',
  ];
  for (const text of words) t.equal(hideIn(text), text);
  const startMs = performance.now();
  for (const word of ['basic ', 'authorization: ', 'basic aaaaaaaaaaaaaaa-', 'a']) {
    hideIn(word.repeat(200_000));
    hideIn(`basic ${word.repeat(200_000)}`);
  }
  t.ok(performance.now() - startMs < 2000, 'at once, also in a long text');
});

t.test('the name of a key is not taken for a secret, so that a line stays JSON', async t => {
  const secrets = new SecretTexts();
  secrets.add('"level"');
  const { log, lines } = logWith({ secrets });
  log.info({ text: 'the "level"' }, 'said');
  t.match(JSON.parse(lines.join('')), { level: 'info', text: 'the [hidden]' });
});

t.test('secrets that are known are bounded, and tiny ones hide nothing', async t => {
  const secrets = new SecretTexts();
  secrets.add('a');
  t.equal(secrets.hideIn('banana'), 'banana');
  secrets.add('first-secret');
  for (let index = 0; index < 1000; index++) secrets.add(`secret-number-${index}`);
  t.equal(secrets.hideIn('first-secret'), 'first-secret', 'the oldest made room');
  t.equal(secrets.hideIn('secret-number-999'), '[hidden]');
});
