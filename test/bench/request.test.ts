import t from 'tap';
import { parseRequest, type BenchRequest } from './request.ts';

const USUAL_SOURCES = ['large', 'small', 'image', 'generations', 'node_modules'];
const USAGE_PROBLEM = { name: 'UsageProblem' };

function request(...words: string[]): BenchRequest {
  const parsed = parseRequest(words);
  if (parsed === 'help') throw new Error('help was not asked for');
  return parsed;
}

t.test('without options everything runs, the long index included', async t => {
  const { stages, rows, rounds } = request();
  t.ok(stages.includes('index-20m'));
  t.same([...new Set(rows.map(({ source }) => source))], USUAL_SOURCES);
  t.equal(rounds, 5);
});

t.test('quick leaves the long index out unless it is named', async t => {
  t.notOk(request('--quick').stages.includes('index-20m'));
  t.same(request('--quick', '--only', 'index-20m').stages, ['index-20m']);
});

t.test('only takes several names in every form', async t => {
  for (const words of [
    ['--only', 'hash', 'small'],
    ['--only', 'hash', '--only', 'small'],
    ['--only', 'hash,small'],
  ]) {
    const { stages, rows } = request(...words);
    t.same(stages, ['hash']);
    t.same([...new Set(rows.map(({ source }) => source))], ['small']);
  }
});

t.test('groups name all of their kind', async t => {
  t.same(request('--only', 'stages').rows, []);
  t.same(request('--only', 'whole').stages, []);
});

t.test('one row of a source can be had by itself', async t => {
  const { rows, rounds } = request('--only', 'small-unchanged', '--rounds', '3');
  t.match(rows, [{ name: 'small-unchanged', source: 'small' }]);
  t.equal(rows.length, 1);
  t.equal(rounds, 3);
});

t.test('ten million files are made only when they are named', async t => {
  const names = request('--only', 'ten-million').rows.map(({ name }) => name);
  t.same(names, ['ten-million-first', 'ten-million-unchanged']);
  t.notOk(request('--only', 'whole').rows.some(({ source }) => source === 'ten-million'));
});

t.test('chunkers takes two files and nothing else runs', async t => {
  const { chunkerFiles, stages, rows } = request('--only', 'chunkers', '--', 'a', 'b');
  t.same({ chunkerFiles, stages, rows }, { chunkerFiles: ['a', 'b'], stages: [], rows: [] });
  t.throws(() => parseRequest(['--only', 'chunkers', 'a']), USAGE_PROBLEM);
});

t.test('what is not known is refused', async t => {
  for (const words of [['--only', 'nothing'], ['--rounds', '0'], ['-o', 'xml'], ['--fast']]) {
    t.throws(() => parseRequest(words), USAGE_PROBLEM, words.join(' '));
  }
});
