// How the bytes of an HTTP/1.1 answer become a head and a body, wherever the network cuts them.
import t from 'tap';
import { bodyOf, CutBodyError } from '#engine/storage/http/answer-body.ts';
import { HttpError, readAnswerHead, staysOpen } from '#engine/storage/http/answer-head.ts';
import { newSeed, SeededRandom, underName } from '#test/support/random.ts';

const BYTES_MAX = 100_000;
const ENDLESS = 'x'.repeat(70_000);

/** What `answer` says, given in pieces that end at `cuts`; 'left' is what follows it. */
function readInPieces(answer: Uint8Array, cuts: readonly number[]): { body: Buffer; left: number } {
  let front: Buffer = Buffer.alloc(0);
  let body: ReturnType<typeof bodyOf> | undefined;
  let left = 0;
  for (const [index, cut] of cuts.entries()) {
    let piece = answer.subarray(cuts[index - 1] ?? 0, cut);
    if (!body) {
      front = Buffer.concat([front, piece]);
      const found = readAnswerHead(front);
      if (!found) continue;
      piece = front.subarray(found.headBytes);
      body = bodyOf(found.head, BYTES_MAX);
    }
    left += piece.length - body.take(piece);
  }
  if (!body) throw new Error('no head');
  body.end();
  return { body: Buffer.from(body.whole()), left };
}

const whole = (answer: string) => readInPieces(Buffer.from(answer, 'latin1'), [answer.length]);

t.test('an answer is the same wherever it is cut', async t => {
  const seed = newSeed();
  t.comment(`seed ${seed}`);
  const random = new SeededRandom(seed);
  for (let run = 0; run < 300; run++) {
    const content = Buffer.from(random.bytes(random.below(random.pick([2, 50, 5000]))));
    const kind = random.pick(['sized', 'chunked', 'open'] as const);
    const after = kind === 'open' ? '' : random.pick(['', 'X', 'HTTP/1.1 200 OK\r\n']);
    const answer = Buffer.concat([answerWith(content, kind, random), Buffer.from(after)]);
    const cuts = Array.from({ length: random.below(40) }, () => random.below(answer.length));
    cuts.push(answer.length);
    cuts.sort((a, b) => a - b);
    const name = `seed ${seed}, run ${run}, ${kind}`;
    const { body, left } = underName(name, () => readInPieces(answer, cuts));
    if (!body.equals(content) || left !== after.length) t.fail(name);
  }
  t.pass('300 answers');
});

function answerWith(content: Buffer, kind: string, random: SeededRandom): Buffer {
  const head = 'HTTP/1.1 200 OK\r\nServer: a b\r\n';
  if (kind === 'sized') {
    return Buffer.concat([Buffer.from(`${head}content-LENGTH:${content.length}\r\n\r\n`), content]);
  }
  if (kind === 'open') return Buffer.concat([Buffer.from(`${head}\r\n`), content]);
  const parts: Buffer[] = [Buffer.from(`${head}Transfer-Encoding: Chunked\r\n\r\n`)];
  for (let at = 0; at < content.length;) {
    const chunk = content.subarray(at, at + 1 + random.below(700));
    const extension = random.pick(['', ';a=b', ' ;sig="x"']);
    const size = random.once(2) ? chunk.length.toString(16) : `00${chunk.length.toString(16)}`;
    parts.push(Buffer.from(`${size.toUpperCase()}${extension}\r\n`), chunk, Buffer.from('\r\n'));
    at += chunk.length;
  }
  const trailer = random.pick(['', 'x-checksum: 1\r\n', 'a: b\r\nc: d\r\n']);
  parts.push(Buffer.from(`0\r\n${trailer}\r\n`));
  return Buffer.concat(parts);
}

t.test('headers are found by their names in lower case, and joined', async t => {
  const text = 'HTTP/1.1 404 Not  Found \r\nA: 1\r\na:\t2 \r\nETag: "x: y"\r\nEmpty:\r\n\r\nbody';
  const found = readAnswerHead(Buffer.from(text, 'latin1'));
  t.equal(found?.headBytes, text.length - 4);
  t.match(found?.head, { status: 404, isOld: false });
  t.same({ ...found?.head.headers }, { a: '1, 2', etag: '"x: y"', empty: '' });
  t.equal(readAnswerHead(Buffer.from('HTTP/1.0 200\r\n\r\n'))?.head.isOld, true);
  const named = readAnswerHead(Buffer.from('HTTP/1.1 200 OK\r\n__proto__: x\r\n\r\n'));
  t.equal(named?.head.headers.__proto__, 'x');
});

t.test('a header that is mostly blank takes no longer than another', async t => {
  const blank = ' '.repeat(30_000);
  const text = `HTTP/1.1 200 OK\r\na: x${blank}y\r\nconnection: x${blank}y, close\r\n\r\n`;
  const before = process.cpuUsage();
  const found = readAnswerHead(Buffer.from(text));
  t.equal(found?.head.headers.a, `x${blank}y`);
  t.equal(found && staysOpen(found.head), false);
  // It was 1.9 s where each blank was looked at once for every one before it.
  const { user } = process.cpuUsage(before);
  t.ok(user < 300_000, `${user} µs`);
});

t.test('what could be read in two ways is an error', async t => {
  const bad = {
    'no HTTP': '220 mail ESMTP\r\n\r\n',
    'the beginning of no HTTP': 'SSH-2.0-x',
    'another version': 'HTTP/2 200 OK\r\n\r\n',
    'no status': 'HTTP/1.1 OK\r\n\r\n',
    'a status of two digits': 'HTTP/1.1 20 OK\r\n\r\n',
    'a folded header': 'HTTP/1.1 200 OK\r\na: b\r\n c\r\n\r\n',
    'a space before the colon': 'HTTP/1.1 200 OK\r\ncontent-length : 3\r\n\r\nabc',
    'a header without a name': 'HTTP/1.1 200 OK\r\n: 3\r\n\r\n',
    'a line feed alone': 'HTTP/1.1 200 OK\r\na: b\nc: d\r\n\r\n',
    'two lengths': 'HTTP/1.1 200 OK\r\ncontent-length: 3\r\ncontent-length: 4\r\n\r\nabcd',
    'a length that is none': 'HTTP/1.1 200 OK\r\ncontent-length: +3\r\n\r\nabc',
    'length and chunks':
      'HTTP/1.1 200 OK\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\n',
    'another encoding': 'HTTP/1.1 200 OK\r\ntransfer-encoding: gzip, chunked\r\n\r\n',
    'a chunk without a size': 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n\r\n',
    'a size that is none': 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n-1\r\n\r\n',
    'a chunk too long':
      'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\nabc\r\n0\r\n\r\n',
    'a line feed alone after a size':
      'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\na\r\n0\r\n\r\n',
    'endless headers': `HTTP/1.1 200 OK\r\na: ${ENDLESS}`,
    'an endless size': `HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1;${ENDLESS}`,
  };
  for (const [name, answer] of Object.entries(bad)) t.throws(() => whole(answer), HttpError, name);
});

t.test('a body that ends too soon says how much of it came', async t => {
  const sized = 'HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc';
  t.match(
    thrown(() => whole(sized)),
    { bytes: 10, gotBytes: 3 },
  );
  const chunked = 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nabcde\r\n5\r\nab';
  t.match(
    thrown(() => whole(chunked)),
    { bytes: undefined, gotBytes: 7 },
  );
});

/** A cut body: what else is thrown goes on. */
function thrown(read: () => unknown): CutBodyError | undefined {
  try {
    read();
    return undefined;
  } catch (error) {
    if (error instanceof CutBodyError) return error;
    throw error;
  }
}

t.test('a body without a length has a limit', async t => {
  const open = `HTTP/1.1 200 OK\r\n\r\n${'x'.repeat(BYTES_MAX)}`;
  t.equal(whole(open).body.length, BYTES_MAX);
  t.throws(() => whole(`${open}x`), { code: 'LIMIT_EXCEEDED' });
});

t.test('an answer without a body has none', async t => {
  t.same(whole('HTTP/1.1 204 No Content\r\n\r\nHTTP'), { body: Buffer.alloc(0), left: 4 });
  t.same(whole('HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n'), { body: Buffer.alloc(0), left: 0 });
});
