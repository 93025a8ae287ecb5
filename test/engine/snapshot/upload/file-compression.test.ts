import t from 'tap';
import { allocateArena } from '#engine/base/arena.ts';
import { CompressionChoice } from '#engine/snapshot/upload/file-compression.ts';
import type { FileCompression } from '#engine/snapshot/upload/upload-tasks.ts';
import { SeededRandom } from '#test/support/random.ts';

const random = new SeededRandom(4);

function isChosen(rule: FileCompression, name: string, bytes: number, content: Uint8Array) {
  const arena = allocateArena(content.length + 16);
  arena.bytes.set(content, 16);
  const choice = new CompressionChoice(rule);
  const chosen = choice.choose({ name, bytes }, { arena, offset: 16 }, content.length);
  t.equal(chosen ?? choice.compressor, choice.compressor);
  return chosen !== undefined;
}

const text = new Uint8Array(Buffer.alloc(300_000, 'text that comes again and again\n'));
const noise = random.bytes(300_000);

t.test('no compression is no compression', async t => {
  t.notOk(isChosen({ kind: 'none' }, 'a.txt', text.length, text));
  t.equal(new CompressionChoice({ kind: 'none' }).compressor, undefined);
});

t.test('a sample from the middle decides where nothing else is said', async t => {
  const auto: FileCompression = { kind: 'auto', compressor: 'zstd-fastest' };
  t.ok(isChosen(auto, 'a', text.length, text));
  t.notOk(isChosen(auto, 'a', noise.length, noise));
  const headed = Uint8Array.from(noise);
  headed.set(text.subarray(0, 50_000));
  t.notOk(isChosen(auto, 'a', headed.length, headed), 'a header that compresses is not enough');
});

const policy = (rule: Partial<Extract<FileCompression, { kind: 'policy' }>>): FileCompression => ({
  kind: 'policy',
  compressor: 'zstd',
  onlyCompress: [],
  neverCompress: [],
  minBytes: 0,
  maxBytes: 0,
  ...rule,
});

t.test('a policy decides by length and by extension, not by content', async t => {
  const table: readonly [FileCompression, string, number, boolean][] = [
    [policy({}), 'a', 10, true],
    [policy({ minBytes: 10 }), 'a', 9, false],
    [policy({ minBytes: 10 }), 'a', 10, true],
    [policy({ maxBytes: 10 }), 'a', 10, true],
    [policy({ maxBytes: 10 }), 'a', 11, false],
    [policy({ neverCompress: ['.gz'] }), 'a.tar.gz', 10, false],
    [policy({ neverCompress: ['.gz'] }), 'a.gz.txt', 10, true],
    [policy({ neverCompress: ['.bashrc'] }), '.bashrc', 10, false],
    [policy({ onlyCompress: ['.txt'] }), 'a.txt', 10, true],
    [policy({ onlyCompress: ['.txt'] }), 'a.txt.gz', 10, false],
    [policy({ onlyCompress: ['.txt'], neverCompress: ['.txt'] }), 'a.txt', 10, true],
    [policy({ onlyCompress: [''] }), 'Makefile', 10, true],
  ];
  for (const [index, [rule, name, bytes, expected]] of table.entries()) {
    t.equal(isChosen(rule, name, bytes, noise), expected, `row ${index}`);
  }
});

t.test('what we only read is replaced by what we write', async t => {
  const { compressor } = new CompressionChoice(policy({ compressor: 's2-default' }));
  t.equal(compressor?.name, 'zstd-fastest');
});

t.test('a name that nobody knows is refused', async t => {
  const rule = policy({ compressor: 'middle-out' });
  t.throws(() => new CompressionChoice(rule), { code: 'ALGORITHM_UNKNOWN' });
});
