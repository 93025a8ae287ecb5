import t from 'tap';
import { parseRequest, type BenchRequest } from './request.ts';

const USAGE_PROBLEM = { name: 'UsageProblem' };

function request(...words: string[]): BenchRequest {
  const parsed = parseRequest(words);
  if (parsed === 'help') throw new Error('help was not asked for');
  return parsed;
}

t.test('without options everything runs, the long index included', async t => {
  const { stages, sources, rounds } = request();
  t.ok(stages.includes('index-20m'));
  t.same(sources, ['large', 'small', 'node_modules']);
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
    const { stages, sources } = request(...words);
    t.same({ stages, sources }, { stages: ['hash'], sources: ['small'] });
  }
});

t.test('groups name all of their kind', async t => {
  t.same(request('--only', 'stages').sources, []);
  t.same(request('--only', 'whole').stages, []);
});

t.test('chunkers takes two files and nothing else runs', async t => {
  const { chunkerFiles, stages, sources } = request('--only', 'chunkers', '--', 'a', 'b');
  t.same({ chunkerFiles, stages, sources }, { chunkerFiles: ['a', 'b'], stages: [], sources: [] });
  t.throws(() => parseRequest(['--only', 'chunkers', 'a']), USAGE_PROBLEM);
});

t.test('what is not known is refused', async t => {
  for (const words of [['--only', 'nothing'], ['--rounds', '0'], ['-o', 'xml'], ['--fast']]) {
    t.throws(() => parseRequest(words), USAGE_PROBLEM, words.join(' '));
  }
});
