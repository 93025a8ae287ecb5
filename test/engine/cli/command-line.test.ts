import t from 'tap';
import { parseCommandLine, type Program } from '#engine/cli/command-line.ts';
import { EPILOGUE, GLOBAL_OPTIONS, OTHER_PROGRAMS, VERBS } from '#engine/cli/verbs.ts';

const program: Program = {
  name: 'stevedore',
  version: '1.2.3',
  summary: 'Summary.',
  globalOptions: GLOBAL_OPTIONS,
  verbs: VERBS,
  otherPrograms: OTHER_PROGRAMS,
  epilogue: EPILOGUE,
  columns: 80,
};

function parse(...words: string[]) {
  return parseCommandLine(program, words);
}

function callOf(...words: string[]) {
  const invocation = parse(...words);
  if (invocation.kind !== 'call') throw new Error(`no call: ${invocation.text}`);
  const { verb, operands, options } = invocation;
  return { verb: verb.words.join(' '), operands, options };
}

t.test('global options may stand before and after the verb', async t => {
  const expected = { verb: 'snapshots', operands: [], options: { repo: 'file:///r', quiet: true } };
  t.match(callOf('--repo', 'file:///r', '-q', 'snapshots'), expected);
  t.match(callOf('snapshots', '--repo=file:///r', '--quiet'), expected);
});

t.test('what is another program says that its name comes first', async t => {
  const what = 'has to stand before its flags, which are its own';
  const first = (word: string) => ({
    code: 'USAGE',
    message: `${word} ${what}: try stevedore ${word} --help`,
  });
  t.throws(() => parse('--repo', 'file:///r', 'queue'), first('queue'));
  t.throws(() => parse('-o', 'json', 'nodes'), first('nodes'));
  t.throws(() => parse('--controller', 'host:8443', 'queue'), first('queue'));
  t.throws(() => parse('--node-name', 'n1', 'node-agent', 'server'), first('node-agent'));
  t.throws(() => parse('--repo', 'file:///r', 'queues'), { message: /unknown command 'queues'/ });
  t.throws(() => parse('ls', 'queue', '--odd'), { message: /unknown option '--odd'/ });
});

t.test('verbs of two words, operands and repeated options arrive', async t => {
  t.match(callOf('repo', 'create', '--hash', 'BLAKE3-256'), {
    verb: 'repo create',
    options: { hash: 'BLAKE3-256' },
  });
  t.match(callOf('backup', '/a', '--tag', 'a:1', '--tag', 'b:2', '--pin', 'p'), {
    verb: 'backup',
    operands: ['/a'],
    options: { tag: ['a:1', 'b:2'], pin: ['p'] },
  });
  t.strictSame(callOf('forget', 'a', 'b', 'c').operands, ['a', 'b', 'c']);
  t.strictSame(callOf('verify').operands, []);
  t.strictSame(callOf('restore', 'id:/p', '--', '-odd').operands, ['id:/p', '-odd']);
});

t.test('one run does not remember the options of another', async t => {
  callOf('backup', '/a', '--tag', 'a:1');
  const { options } = callOf('backup', '/a');
  t.strictSame(options, { cachedirTag: true, pressureBackoff: true });
});

t.test('wrong usage names what was meant', async t => {
  t.throws(() => parse('bakup'), { code: 'USAGE', message: /Did you mean backup/ });
  t.throws(() => parse('help', 'bakup'), { code: 'USAGE', message: /Did you mean backup/ });
  t.throws(() => parse('backup', '/a', '--tga', 'x'), { code: 'USAGE', message: /--tag/ });
  t.throws(() => parse('backup'), { code: 'USAGE', message: /path/ });
  t.throws(() => parse('backup', '/a', '/b'), { code: 'USAGE', message: /too many arguments/ });
  t.throws(() => parse('repo'), { code: 'USAGE', message: /command is missing/ });
  t.throws(() => parse(), { code: 'USAGE', message: /command is missing/ });
  t.throws(() => parse('snapshots', '--repo'), { code: 'USAGE', message: /argument missing/ });
});

t.test('every verb explains itself with an example and with the global options', async t => {
  for (const verb of VERBS) {
    const invocation = parse(...verb.words, '--help');
    t.equal(invocation.kind, 'text');
    if (invocation.kind !== 'text') continue;
    t.match(invocation.text, `Usage: stevedore ${verb.words.join(' ')}`);
    t.match(invocation.text, 'Examples:');
    t.match(invocation.text, '--password-file');
    for (const line of invocation.text.split('\n')) {
      t.ok(line.length <= 80 || line.startsWith('  $'), `${line.length} columns: ${line}`);
    }
    t.same(parse('help', ...verb.words.slice(0, 1)).kind, 'text');
  }
});

t.test('examples are command lines that parse', async t => {
  for (const verb of VERBS) {
    for (const { command } of verb.examples) {
      const [own = ''] = command.split(' | ');
      const words = [...own.matchAll(/"([^"]*)"|(\S+)/g)].map(match => match[1] ?? match[2] ?? '');
      t.equal(callOf(...words.slice(1)).verb, verb.words.join(' '), command);
    }
  }
});

t.test('the version is text', async t => {
  t.strictSame(parse('--version'), { kind: 'text', text: 'stevedore 1.2.3\n' });
});
