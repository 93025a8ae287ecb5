// The schema against those who read the values in the end: what the agent, the controller or the
// API server would refuse, helm refuses before anything is changed, and it refuses nothing else.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { parseDuration, parseRate, type ParseText } from '#agent/config-values.ts';
import { parseYaml } from '#engine/base/yaml.ts';
import { RateWindows } from '#controller/bandwidth/rate-windows.ts';
import { parseStatusAddress } from '#controller/setting-values.ts';
import { CHART, helmIsMissing, renderChart } from './helm.ts';

const skip = helmIsMissing();
const IMAGE = '--set=image.repository=registry.example/stevedore';

interface Schema {
  readonly $ref?: string;
  readonly pattern?: string;
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly definitions?: Readonly<Record<string, Schema>>;
}

// The schema of the chart, of which a part that is not there fails below.
const schema = JSON.parse(readFileSync(join(CHART, 'values.schema.json'), 'utf8')) as Schema;

/** Which texts are let through at a key, such as `controller.port`. */
function patternOf(path: string): RegExp {
  let at: Schema | undefined = schema;
  for (const key of path.split('.')) {
    at = key === '[]' ? at?.items : at?.properties?.[key];
    const name: string | undefined = at?.$ref?.split('/').at(-1);
    if (name !== undefined) at = schema.definitions?.[name];
  }
  return new RegExp(at?.pattern ?? '');
}

const isTaken = (parse: ParseText<unknown>, text: string) => {
  try {
    parse(text, 'it');
    return true;
  } catch {
    return false;
  }
};

const parseCron: ParseText<unknown> = from =>
  new RateWindows({}, [{ name: 'w', from, until: '0 18 * * *', timeZone: 'UTC' }]);

const READERS: readonly (readonly [
  path: string,
  parse: ParseText<unknown>,
  texts: readonly string[],
])[] = [
  [
    'controller.configuration.uploadRate',
    parseRate,
    ['0', '200MiB', '1.5G', '20 mb', '7k', '300000', '200Mi', 'fast', '1iB iB', '.5G', '-1M', '1.'],
  ],
  [
    'controller.configuration.rateWindows.[].downloadRate',
    parseRate,
    ['0', '200MiB', '200Mi', '20%', '1T', '20MiB/s'],
  ],
  ['configuration.resourceTimeout', parseDuration, ['30m', '1h30m', '1.5s', '1..5h', '.m', '3d']],
  ['controller.configuration.startDeadline', parseDuration, ['3h', '250ms', '3.h', '1.2.3h', '3']],
  [
    'controller.configuration.rateWindows.[].from',
    parseCron,
    ['0 8 * * 1-5', ' 0  8 * * MON ', '8:00', '0 8 * *', 'at eight'],
  ],
  [
    'controller.configuration.statusAddress',
    parseStatusAddress,
    ['none', '127.0.0.1:8087', '127.1.2.3:1', '[::1]:8087', ':8087', '0.0.0.0:8087', '10.0.0.1:1'],
  ],
];

for (const [path, parse, texts] of READERS) {
  t.test(`${path} is let through where it is understood`, async t => {
    for (const text of texts) t.equal(patternOf(path).test(text), isTaken(parse, text), text);
    const isMixed = new Set(texts.map(text => isTaken(parse, text))).size === 2;
    t.ok(isMixed, 'some are, and some are not');
  });
}

t.test('how often is asked is said as the operator of Prometheus takes it', async t => {
  // monitoring.coreos.com/v1, Duration: whole numbers, the largest unit first.
  const pattern = patternOf('metrics.nodeAgentPodMonitor.scrapeInterval');
  for (const text of ['30s', '1m', '1m30s', '500ms', '1h']) t.match(text, pattern, text);
  for (const text of ['1.5m', '30', '30s1m', 'often']) t.notMatch(text, pattern, text);
});

t.test('a repository is one without its tag, which is a value of its own', async t => {
  const pattern = patternOf('image.repository');
  const right = ['stevedore', 'registry.example/a/stevedore', 'localhost:5000/stevedore'];
  for (const text of right) t.match(text, pattern);
  const wrong = ['', 'registry.example/stevedore:0.1.0', 'a/b@sha256:00', 'a/', '/a', 'a b'];
  for (const text of wrong) t.notMatch(text, pattern, text);
});

t.test(
  'what the API server would refuse is refused with the name of the value',
  { skip },
  async t => {
    t.doesNotThrow(() => renderChart(IMAGE), 'without it all is well');
    for (const setting of [
      'image.imagePullSecrets={my-registry}',
      'nodeAgent.tolerations={all}',
      'controller.tolerations={all}',
      'nodeAgent.extraEnvVars={HTTPS_PROXY=http://proxy.example}',
      'nodeAgent.extraVolumes[0].emptyDir.medium=Memory',
      'nodeAgent.extraArgs[0].memory=1GiB',
      'nodeAgent.podAnnotations.scrape=true',
      'nodeAgent.nodeSelector.backup=true',
      'controller.podLabels.tier=1',
      'nodeAgent.networkPolicy.egress.more={10.0.0.1}',
      'cache.hostPath=/',
      'priorityClass.name=system-backups',
      'metrics.controllerPodMonitor.scrapeInterval=1.5m',
      'metrics.controllerPodMonitor.scrapeTimeout=',
      'metrics.podAnnotations.tier=1',
    ]) {
      const [path = ''] = setting.split(/[=[]/);
      const said = () => renderChart(IMAGE, `--set=${setting}`);
      t.throws(said, { message: path.split('.').slice(0, 2).join('.') }, setting);
      t.throws(said, { message: /schema/ }, setting);
    }
  },
);

/** Paths of what has keys below it. */
function* sectionsOf(values: object, above = ''): Generator<string> {
  for (const [key, below] of Object.entries(values) as [string, unknown][]) {
    if (typeof below !== 'object' || below === null || Array.isArray(below)) continue;
    yield above + key;
    yield* sectionsOf(below, `${above}${key}.`);
  }
}

t.test('a section that is taken away is named, unless the rest does without', { skip }, async t => {
  const values = parseYaml(readFileSync(join(CHART, 'values.yaml'), 'utf8'), 'values.yaml');
  // A mapping, as the schema says.
  const sections = [...sectionsOf(values as object)];
  t.ok(sections.includes('controller.configuration'));
  for (const section of sections) {
    try {
      renderChart(IMAGE, '--set=controller.enabled=true', `--set=${section}=null`);
    } catch (error) {
      t.match(String(error), `missing property '${section.split('.').at(-1)}'`, section);
    }
  }
});
