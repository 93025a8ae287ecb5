import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import t from 'tap';
import { promptHidden } from '#engine/cli/password-prompt.ts';
import { chooseNewPassword, findPassword } from '#engine/cli/password.ts';

const none = { file: undefined, environment: undefined, prompt: undefined };
const never = new AbortController().signal;

t.test('a file goes before the environment, and that before the prompt', async t => {
  const file = join(t.testdir({ password: 'from file\n' }), 'password');
  const prompt = async () => 'typed';
  t.equal(await findPassword({ file, environment: 'set', prompt }), 'from file');
  t.equal(await findPassword({ ...none, environment: 'set', prompt }), 'set');
  t.equal(await findPassword({ ...none, environment: '', prompt }), 'typed');
});

t.test('one newline at the end of a file is not of the password, anything else is', async t => {
  const file = join(t.testdir({ password: '' }), 'password');
  for (const [text, password] of [
    ['a', 'a'],
    ['a\r\n', 'a'],
    [' a \n\n', ' a \n'],
    ['pässword\n', 'pässword'],
  ] as const) {
    writeFileSync(file, text);
    t.equal(await findPassword({ ...none, file }), password);
  }
});

t.test('without a password the error says how to give one', async t => {
  const directory = t.testdir({ empty: '\n', large: 'x'.repeat(70_000) });
  await t.rejects(findPassword(none), { code: 'USAGE', message: /--password-file/ });
  await t.rejects(findPassword({ ...none, file: join(directory, 'missing') }), {
    code: 'USAGE',
    message: /cannot be read/,
  });
  await t.rejects(findPassword({ ...none, file: join(directory, 'empty') }), { message: /empty/ });
  await t.rejects(findPassword({ ...none, file: join(directory, 'large') }), { message: /bytes/ });
});

t.test('a new password is typed twice', async t => {
  const answers = ['one', 'one', 'one', 'two'];
  const prompt = async () => answers.shift() ?? '';
  t.equal(await chooseNewPassword({ ...none, prompt }), 'one');
  await t.rejects(chooseNewPassword({ ...none, prompt }), { message: /differ/ });
});

function terminal() {
  const input = new PassThrough();
  const modes: boolean[] = [];
  return { modes, input: Object.assign(input, { setRawMode: (is: boolean) => modes.push(is) }) };
}

t.test('the prompt reads a line, understands erasing, and shows nothing of it', async t => {
  const { input, modes } = terminal();
  let shown = '';
  const typed = promptHidden('Password: ', input, text => (shown += text), never);
  input.write('wrong\u0015seX\u007fc');
  input.write('r\u00e9t\rrest');
  t.equal(await typed, 'secr\u00e9t');
  t.equal(shown, 'Password: \n');
  t.strictSame(modes, [true, false], 'echo is back');
});

t.test('the prompt gives up at Ctrl-C, at the end of input and when aborted', async t => {
  const keys = terminal();
  const byKey = promptHidden('', keys.input, () => {}, never);
  keys.input.write('ab\u0003');
  await t.rejects(byKey, { code: 'ABORTED' });

  const ended = terminal();
  const byEnd = promptHidden('', ended.input, () => {}, never);
  ended.input.end();
  await t.rejects(byEnd, { code: 'ABORTED' });

  const aborted = terminal();
  const controller = new AbortController();
  const bySignal = promptHidden('', aborted.input, () => {}, controller.signal);
  controller.abort();
  await t.rejects(bySignal, { code: 'ABORTED' });
  t.strictSame(
    [keys.modes, ended.modes, aborted.modes],
    [
      [true, false],
      [true, false],
      [true, false],
    ],
  );
});
