// The source of most recorded repositories: small, and free of what some file systems cannot keep,
// so that every machine can restore it.

import { chmod, chown, lchown, mkdir, symlink, writeFile } from 'node:fs/promises';
import { setLinkTimes } from '#test/support/file-times.ts';
import { SeededRandom } from '#test/support/random.ts';

const SECOND = 1_000_000_000n;

/** Makes `path`, which must not exist. `state` 2 is what a second snapshot finds. */
export async function makeVectorTree(path: string, state: 1 | 2 = 1): Promise<void> {
  await mkdir(path);
  const random = new SeededRandom(7);
  const files: Record<string, string | Uint8Array> = {
    'hello.txt': `hello ${state}\n`,
    empty: '',
    'random.bin': random.bytes(3000),
    'words.txt': wordsText(9000),
    'zeros.bin': new Uint8Array(20_000),
    '\u{1f600} before \uff5e by UTF-16': 'astral',
    '\uff5e': 'after it by UTF-16, before it by bytes',
    'odd "name" & <tag>\u2028\n\u0001': 'has to be escaped',
    '.hidden': 'x',
    ...(state === 2 ? { added: 'only the second snapshot has it' } : {}),
  };
  for (const [name, bytes] of Object.entries(files)) await writeFile(`${path}/${name}`, bytes);
  await mkdir(`${path}/sub/deeper/deepest`, { recursive: true });
  await mkdir(`${path}/empty-dir`);
  await writeFile(`${path}/sub/copy.bin`, random.bytes(100));
  await writeFile(`${path}/sub/deeper/é.txt`, 'composed');
  await symlink('../hello.txt', `${path}/sub/link`);
  await symlink('no/where', `${path}/dangling`);
  await chown(`${path}/words.txt`, 1000, 1001);
  await lchown(`${path}/dangling`, 1000, 1001);
  await chmod(`${path}/hello.txt`, 0o4755);
  await chmod(`${path}/random.bin`, 0o600);
  await chmod(`${path}/empty-dir`, 0o1777);
  await chmod(`${path}/sub/deeper`, 0o2750);
  await setTimes(path, state);
}

/** Deepest first: making an entry gives its directory a new time. */
async function setTimes(path: string, state: 1 | 2): Promise<void> {
  const times: readonly (readonly [string, bigint])[] = [
    ['/sub/deeper/é.txt', -1_500_000_000n],
    ['/sub/deeper/deepest', 1_000_000_000n * SECOND + 120_000_000n],
    ['/sub/deeper', 1_100_000_000n * SECOND + 1n],
    ['/sub/link', 1_200_000_000n * SECOND + 123_456_000n],
    ['/sub/copy.bin', 0n],
    ['/sub', 1_300_000_000n * SECOND],
    ['/dangling', -1_000_000n * SECOND],
    ['/empty-dir', 2_000_000_000n * SECOND + 999_999_999n],
    ['/hello.txt', 1_400_000_000n * SECOND + BigInt(state)],
    ['/random.bin', 1n],
    ['/words.txt', 1_500_000_000n * SECOND + 500_000_000n],
    ['/zeros.bin', -1n],
    ['', 1_600_000_000n * SECOND + 10n * BigInt(state)],
  ];
  for (const [name, nanoseconds] of times) setLinkTimes(path + name, nanoseconds);
}

/** What compresses and is yet cut at varied places: words drawn from a few. */
export function wordsText(length: number): string {
  const random = new SeededRandom(11);
  const words = ['harbour', 'crane', 'quay', 'ship', 'berth', 'tide', 'winch', 'deck'];
  const drawn: string[] = [];
  for (let written = 0; written < length;) {
    const word = random.pick(words);
    drawn.push(word);
    written += word.length + 1;
  }
  return drawn.join(' ').slice(0, length);
}

/** A directory whose object is cut, too, and files that are. */
export async function makeLargeVectorTree(path: string): Promise<void> {
  await mkdir(path);
  await writeFile(`${path}/words.txt`, wordsText(700_000));
  await writeFile(`${path}/zeros.bin`, new Uint8Array(1_000_000));
  await mkdir(`${path}/crowd`);
  for (let index = 0; index < 900; index++) {
    const name = `${path}/crowd/file ${String(index).padStart(4, '0')}`;
    await writeFile(name, index % 3 === 0 ? '' : `${index % 5}`);
    setLinkTimes(name, 1_234_567_890_123_456_789n);
  }
  setLinkTimes(`${path}/crowd`, 1_234_567_890n * SECOND);
  setLinkTimes(path, 1_234_567_891n * SECOND);
}
