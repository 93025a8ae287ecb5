// The node-agent ConfigMap: what it may hold, what of it has an effect, and what is said of the
// rest.

import t from 'tap';
import { concurrencyFor, parseNodeAgentConfig } from '#agent/moves/node-agent-config.ts';

const parse = (json: unknown) => parseNodeAgentConfig({ 'config.json': JSON.stringify(json) });

function concurrency(loadConcurrency: object, labels: Record<string, string> = {}): number {
  return concurrencyFor(parse({ loadConcurrency }).config, labels);
}

t.test('the smallest number of the rules that match', async t => {
  const small = { nodeSelector: { matchLabels: { size: 'small' } }, number: 2 };
  const disk = {
    nodeSelector: { matchExpressions: [{ key: 'disk', operator: 'In', values: ['ssd', 'nvme'] }] },
    number: 6,
  };
  const rules = { globalConfig: 4, perNodeConfig: [disk, small] };
  const rows: readonly [labels: Record<string, string>, count: number][] = [
    [{}, 4],
    [{ size: 'small' }, 2],
    [{ disk: 'nvme' }, 6],
    [{ disk: 'nvme', size: 'small' }, 2],
    [{ disk: 'hdd', size: 'large' }, 4],
  ];
  for (const [labels, count] of rows) {
    t.equal(concurrency(rules, labels), count, JSON.stringify(labels));
  }
});

t.test('every operator of a label selector', async t => {
  const rows: readonly [operator: string, values: string[], matches: string[]][] = [
    ['In', ['a', 'b'], ['a', 'b']],
    ['NotIn', ['a', 'b'], ['c', 'absent']],
    ['Exists', [], ['a', 'b', 'c']],
    ['DoesNotExist', [], ['absent']],
  ];
  for (const [operator, values, matches] of rows) {
    const nodeSelector = { matchExpressions: [{ key: 'zone', operator, values }] };
    const config = { globalConfig: 1, perNodeConfig: [{ nodeSelector, number: 3 }] };
    for (const zone of ['a', 'b', 'c', 'absent']) {
      const labels: Record<string, string> = zone === 'absent' ? {} : { zone };
      const expected = matches.includes(zone) ? 3 : 1;
      t.equal(concurrency(config, labels), expected, `${operator} ${values.join()}: ${zone}`);
    }
  }
});

t.test('one at a time without a setting, and where the number is below one', async t => {
  t.equal(concurrencyFor(parse({}).config, {}), 1);
  t.equal(concurrencyFor(parse({ loadConcurrency: null }).config, {}), 1);
  t.equal(concurrency({}), 1);
  t.equal(concurrency({ globalConfig: 0 }), 1);
  const rule = { nodeSelector: {}, number: -1 };
  const { config, notices, problems } = parse({
    loadConcurrency: { globalConfig: 5, perNodeConfig: [rule] },
  });
  t.equal(concurrencyFor(config, {}), 5);
  t.strictSame(notices, [
    'loadConcurrency.perNodeConfig[0].number is left aside: -1 is less than one',
  ]);
  t.strictSame(problems, []);
});

t.test('keys are found in any case, as Go finds them', async t => {
  const { config, notices } = parse({ LoadConcurrency: { globalconfig: 7 } });
  t.equal(concurrencyFor(config, {}), 7);
  t.strictSame(notices, []);
});

t.test('what has no effect and what nobody knows is named, each once', async t => {
  const { notices, problems } = parse({
    loadConcurrency: { globalConfig: 2, extra: 1 },
    privilegedFsBackup: true,
    cachePVC: {},
    somethingNew: {},
  });
  const keys = notices.map(notice => notice.split(' ')[0]);
  t.strictSame(keys, ['loadConcurrency.extra', 'privilegedFsBackup', 'cachePVC', 'somethingNew']);
  t.equal(notices.filter(notice => notice.endsWith('is not known')).length, 2);
  t.strictSame(problems, []);
});

t.test('a rule whose selector cannot be understood is left aside', async t => {
  const nodeSelector = { matchExpressions: [{ key: 'a', operator: 'Matches', values: [] }] };
  const { config, notices, problems } = parse({
    loadConcurrency: { globalConfig: 3, perNodeConfig: [{ nodeSelector, number: 1 }] },
  });
  t.equal(concurrencyFor(config, {}), 3);
  t.match(notices, [/nodeSelector is left aside: .*'Matches'/]);
  t.strictSame(problems, []);
});

t.test('what a stock agent refuses to start with is a problem', async t => {
  const rows: readonly [data: Record<string, string> | undefined, problem: RegExp][] = [
    [undefined, /has 0 keys/],
    [{}, /has 0 keys/],
    [{ a: '{}', b: '{}' }, /has 2 keys/],
    [{ a: '{' }, /key a .* is not JSON/],
    [{ a: '[]' }, /key a .* is not a JSON object/],
    [{ a: '{"loadConcurrency": 3}' }, /loadConcurrency is not an object/],
    [{ a: '{"loadConcurrency": {"globalConfig": "3"}}' }, /globalConfig is not a whole number/],
    [{ a: '{"loadConcurrency": {"globalConfig": 1.5}}' }, /globalConfig is not a whole number/],
    [{ a: '{"loadConcurrency": {"perNodeConfig": {}}}' }, /perNodeConfig is not a list/],
    [{ a: '{"loadConcurrency": {"perNodeConfig": [1]}}' }, /perNodeConfig\[0\] is not an object/],
  ];
  for (const [data, problem] of rows) {
    const parsed = parseNodeAgentConfig(data);
    t.match(parsed.problems[0], problem);
    t.equal(concurrencyFor(parsed.config, {}), 1);
  }
});
