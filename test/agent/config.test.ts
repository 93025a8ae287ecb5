// What flags, environment and file make of the settings, and what is said about mistakes.

import t from 'tap';
import { readConfig, type ConfigSources } from '#agent/config.ts';
import { type AgentConfig, INERT_FLAGS, SETTINGS } from '#agent/config-table.ts';
import { longFlag, type Setting } from '#agent/setting.ts';
import { UNVISITED_DAYS_MAX } from '#engine/cache/cache-settings.ts';
import { isEngineError } from '#engine/base/errors.ts';

type Given = Partial<Omit<ConfigSources, 'readText'>> & { readonly file?: string };

function read({ words = [], environment = { NODE_NAME: 'worker-1' }, file }: Given = {}) {
  const readText = (path: string) => {
    if (file === undefined) throw new Error(`ENOENT: ${path}`);
    return file;
  };
  return readConfig({ words, environment, readText, columns: 100 });
}

function configOf(given: Given): AgentConfig {
  const outcome = read(given);
  if (outcome.kind !== 'config') throw new Error('that is a text');
  return outcome.config;
}

function problemsOf(given: Given): readonly unknown[] {
  try {
    read(given);
  } catch (error) {
    if (isEngineError(error, 'USAGE') && Array.isArray(error.details.problems)) {
      return error.details.problems;
    }
    throw error;
  }
  return [];
}

t.test('a node name is all that has to be given', async t => {
  const config = configOf({});
  t.match(config, {
    nodeName: 'worker-1',
    namespace: 'velero',
    logLevel: 'info',
    logFormat: 'json',
  });
  t.strictSame(config.metricsAddress, { host: undefined, port: 8085 });
  t.equal(config.dataMoverPrepareTimeout, 30 * 60_000);
  t.equal(config.hostPods, '/host_pods');
  t.equal(config.cacheDir, undefined);
  t.match(problemsOf({ environment: {} }), [/^set NODE_NAME from the field spec\.nodeName/]);
});

t.test("the words of stock's DaemonSet are understood", async t => {
  const outcome = read({
    words: [
      'node-agent',
      'server',
      '--node-agent-configmap=node-agent-config',
      '--features=EnableCSI',
      '--log-level=warning',
      '--log-format=text',
      '--resource-timeout=1h30m0.5s',
      '-v=4',
    ],
  });
  if (outcome.kind !== 'config') throw new Error('that is a text');
  const { config, inert } = outcome;
  t.match(config, { nodeAgentConfigmap: 'node-agent-config', logLevel: 'warn', logFormat: 'text' });
  t.equal(config.resourceTimeout, 5_400_500);
  t.strictSame(inert, ['--features', '--v']);
});

t.test('a flag counts before a variable, a variable before the file', async t => {
  const environment = {
    NODE_NAME: 'worker-1',
    STEVEDORE_CONFIG: '/file',
    STEVEDORE_LOG_LEVEL: 'warn',
    STEVEDORE_MEMORY: '',
  };
  const file = 'logLevel: error\nmemory: 512MiB\ncacheDir: /cache\ncacheAllowRootDisk: true\n';
  t.equal(configOf({ environment, file, words: ['--log-level', 'debug'] }).logLevel, 'debug');
  const config = configOf({ environment, file });
  t.equal(config.logLevel, 'warn');
  t.equal(config.memory, 512 * 2 ** 20, 'an empty variable is none');
  t.match(config, { cacheDir: '/cache', cacheAllowRootDisk: true });
});

t.test("the cache lies in stock's scratch directory where nothing else is said", async t => {
  const stock = { NODE_NAME: 'worker-1', VELERO_SCRATCH_DIR: '/scratch' };
  t.equal(configOf({ environment: stock }).cacheDir, '/scratch');
  const ours = { ...stock, STEVEDORE_CACHE_DIR: '/cache' };
  t.equal(configOf({ environment: ours }).cacheDir, '/cache');
});

t.test('everything that is wrong is said at once, with what would be right', async t => {
  const problems = problemsOf({
    words: ['--metrics-adress=:1', '--metrics-address', '8085', '--nonsense', '--memory=1MiB'],
    environment: { STEVEDORE_LOG_LEVEL: 'loud', STEVEDORE_CONFIG: '/file' },
    file: 'cachedir: /cache\nhostPods: pods\nshutdownGrace: [1]\n',
  });
  t.match(problems, [
    'there is no option --metrics-adress; try --metrics-address',
    'there is no option --nonsense; see --help',
    "there is no setting 'cachedir' (/file); try cacheDir",
    'shutdownGrace in /file is no text, number or boolean; give one',
    'set NODE_NAME from the field spec.nodeName of the pod, or give --node-name',
    /^STEVEDORE_LOG_LEVEL is 'loud'; give one of trace, debug, info, warn, warning/,
    "--metrics-address is '8085'; give HOST:PORT, or :PORT for all addresses",
    "hostPods in /file is 'pods'; give a path that begins with /",
    "--memory is '1MiB'; give 192MiB or more",
  ]);
});

t.test('a file that is missing or torn is a problem like others', async t => {
  t.match(problemsOf({ words: ['--config', '/none'] }), [/^the file of --config, \/none, cannot/]);
  t.match(problemsOf({ words: ['--config=/f'], file: 'a: [' }), [/^\/f is not YAML: /]);
  t.match(problemsOf({ words: ['--config=/f'], file: '- a' }), [/give key: value lines/]);
  t.match(problemsOf({ words: ['--config'] }), [/--config <file>.*argument missing/]);
  t.match(problemsOf({ words: ['--config=/f'], file: '' }), [], 'an empty one is none');
});

t.test('a limit for a cache that is nowhere is a problem', async t => {
  t.match(problemsOf({ words: ['--cache-limit=10%'] }), [/--cache-limit is of no use without/]);
  const words = ['--cache-limit=10%', '--cache-dir=/cache'];
  t.strictSame(configOf({ words }).cacheLimit, { share: 0.1 });
});

t.test('what repositories may have of the cache', async t => {
  t.match(configOf({}), { cacheFloor: undefined, cacheUnvisitedDays: UNVISITED_DAYS_MAX });
  const words = ['--cache-floor=1MiB', '--cache-ceiling=2MiB', '--cache-data-min=3MiB'];
  const { cacheFloor, cacheCeiling, cacheDataMin } = configOf({ words });
  t.strictSame([cacheFloor, cacheCeiling, cacheDataMin], [2 ** 20, 2 ** 21, 3 * 2 ** 20]);
  const swapped = ['--cache-floor=3MiB', '--cache-ceiling=2MiB'];
  t.match(problemsOf({ words: swapped }), [/^--cache-floor is above --cache-ceiling; give no/]);
});

t.test('a controller is known by certificates, or its plain text is asked for', async t => {
  const words = ['--controller=stevedore-controller.velero:9443'];
  t.match(problemsOf({ words }), [/^--controller needs certificates to know it by; give --contr/]);
  const known = configOf({ words: [...words, '--controller-ca-file=/ca.crt'] });
  t.strictSame(known.controller, { host: 'stevedore-controller.velero', port: 9443 });
  t.equal(known.controllerTokenFile, '/var/run/secrets/stevedore.io/controller/token');
  const plain = ['--controller=127.0.0.1:9443', '--controller-plain-text'];
  t.equal(configOf({ words: plain }).controllerPlainText, true);
  t.match(problemsOf({ words: [...plain, '--controller-ca-file=/ca.crt'] }), [/is of no use with/]);
});

t.test('addresses, durations and names of other forms are refused', async t => {
  const wrong: readonly [flag: string, text: string][] = [
    ['--metrics-address', ':99999'],
    ['--metrics-address', 'a:b:1'],
    ['--controller', ':1'],
    ['--resource-timeout', '10'],
    ['--resource-timeout', '0s'],
    ['--resource-timeout', '10m x'],
    ['--resource-timeout', 'x10m'],
    ['--resource-timeout', '10m10'],
    ['--cache-unvisited-days', '0'],
    ['--cache-unvisited-days', '1.5'],
    ['--cache-ceiling', 'much'],
    ['--node-name', 'Worker_1'],
    ['--host-pods', 'host_pods'],
    ['--log-format', '__proto__'],
  ];
  for (const [flag, text] of wrong) {
    t.match(problemsOf({ words: [flag, text] }), [`${flag} is '${text}'; give`], `${flag} ${text}`);
  }
  const address = configOf({ words: ['--metrics-address=[::1]:0'] }).metricsAddress;
  t.strictSame(address, { host: '::1', port: 0 });
});

t.test('help names every flag and shows how the agent is started', async t => {
  const outcome = read({ words: ['node-agent', '--help'] });
  if (outcome.kind !== 'text') throw new Error('that is no text');
  const rows: readonly Setting<unknown>[] = Object.values(SETTINGS);
  for (const { flags } of rows) t.match(outcome.text, flags);
  for (const flags of INERT_FLAGS) t.match(outcome.text, longFlag(flags));
  t.match(outcome.text, 'Examples:');
  t.match(outcome.text, '$ stevedore node-agent server --node-agent-configmap');
});
