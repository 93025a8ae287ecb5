// What flags, environment and file make of the controller's settings, and what is said of mistakes.

import t from 'tap';
import { readConfig } from '#controller/config.ts';
import type { ControllerConfig } from '#controller/config-table.ts';
import { isEngineError } from '#engine/base/errors.ts';

interface Given {
  readonly words?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly file?: string;
}

function configOf({ words = [], environment = {}, file = '' }: Given): ControllerConfig {
  const readText = () => file;
  const given = file === '' ? words : [...words, '--config', '/etc/controller.yaml'];
  const outcome = readConfig({ words: given, environment, readText, columns: 80 });
  if (outcome.kind !== 'config') throw new Error('that is a text');
  return outcome.config;
}

function problemsOf(given: Given): unknown {
  try {
    configOf(given);
  } catch (error) {
    if (isEngineError(error, 'USAGE')) return error.details.problems;
    throw error;
  }
  return [];
}

const TLS = ['--tls-dir', '/tls'];

t.test('a certificate is all that has to be given', async t => {
  t.match(configOf({ words: ['controller', ...TLS] }), {
    listenAddress: { host: undefined, port: 8443 },
    namespace: 'velero',
    agentServiceAccount: 'stevedore',
    audience: 'stevedore.io/controller',
    clusterSlots: 4,
    nodeSlots: undefined,
    storageClassSlots: {},
    locationSlots: {},
    rateWindows: [],
    leaseDuration: 10_000,
  });
  t.match(problemsOf({}), [/^there is no certificate; give --tls-dir/]);
});

t.test('the status page is for this machine alone, or for nobody', async t => {
  const of = (address: string) => ({ words: [...TLS, '--status-address', address] });
  t.match(configOf({ words: TLS }).statusAddress, { host: '127.0.0.1', port: 8087 });
  t.match(configOf(of('[::1]:1')).statusAddress, { host: '::1', port: 1 });
  t.equal(configOf(of('none')).statusAddress, undefined);
  for (const address of [':8087', '0.0.0.0:8087', '10.1.2.3:8087', 'localhost:8087']) {
    t.match(problemsOf(of(address)), [/--status-address is '.*', which others can reach/], address);
  }
});

t.test('limits by name and windows are YAML behind a flag and in the file', async t => {
  const windows = `[{ name: office, from: "0 8 * * 1-5", until: "0 18 * * 1-5",
    timeZone: Europe/Berlin, uploadRate: 50MiB, downloadRate: 0 }]`;
  const expected = {
    storageClassSlots: { nfs: 2, 'local-path': 0 },
    rateWindows: [
      {
        name: 'office',
        uploadBytesPerSecond: 50 * 2 ** 20,
        downloadBytesPerSecond: 0,
        timeZone: 'Europe/Berlin',
      },
    ],
  };
  const slots = '{nfs: 2, local-path: 0}';
  const words = [...TLS, '--storage-class-slots', slots, '--rate-windows', windows];
  t.match(configOf({ words }), expected);
  const file = `tlsDir: /tls\nstorageClassSlots: ${slots}\nrateWindows: ${windows}\n`;
  t.match(configOf({ file }), expected);
  const environment = { STEVEDORE_STORAGE_CLASS_SLOTS: slots };
  t.match(configOf({ words: TLS, environment }).storageClassSlots, expected.storageClassSlots);
});

t.test('what cannot be understood is named', async t => {
  const cases: readonly (readonly [string, string, RegExp])[] = [
    ['--cluster-slots', '-1', /--cluster-slots is '-1'; give a whole number from 0/],
    ['--node-slots', '1.5', /--node-slots is '1.5'/],
    ['--storage-class-slots', 'nfs', /is no mapping; give \{NAME: SLOTS, …\}/],
    ['--location-slots', '{default: x}', /default of --location-slots is 'x'/],
    ['--upload-rate', 'fast', /--upload-rate is 'fast'; give a size/],
    ['--rate-windows', '{}', /--rate-windows is no list/],
    ['--rate-windows', '[1]', /window 1 of --rate-windows is no mapping/],
    ['--rate-windows', '[{name: a, rate: 1}]', /has 'rate'; it may have name, from/],
    ['--rate-windows', '[{name: a, from: "* * * * *"}]', /has no until/],
    ['--rate-windows', '[[', /--rate-windows is not YAML/],
    ['--lease-duration', '100ms', /--lease-duration is 0.1s; give 1s to 300s/],
  ];
  for (const [flag, text, problem] of cases) {
    t.match(problemsOf({ words: [...TLS, flag, text] }), [problem], `${flag} ${text}`);
  }
  const window = '{name: a, from: "0 8 * * *", until: "0 9 * * *", timeZone: Mars/Base}';
  t.match(problemsOf({ words: [...TLS, '--rate-windows', `[${window}]`] }), [
    /window 1 of --rate-windows: .* in time zone Mars\/Base is no time/,
  ]);
  t.match(problemsOf({ file: 'tlsDir: /tls\nclusterSlots: [1]\nclusterslots: 1\n' }), [
    /^clusterSlots in \/etc\/controller.yaml is no text/,
    /^there is no setting 'clusterslots' \(\/etc\/controller.yaml\); try clusterSlots/,
  ]);
});

t.test('of rules all that is wrong is named, beside what else is', async t => {
  const rules = '[{action: include, namespaces: []}, {action: drop}]';
  const file = `tlsDir: /tls\nclusterSlots: x\nannotatorRules: ${rules}\n`;
  t.match(problemsOf({ file }), [
    /^clusterSlots in .* is 'x'/,
    '[0].namespaces of annotatorRules in /etc/controller.yaml is empty, and so it fits nothing;',
    /^\[1\]\.action of annotatorRules in .* is 'drop'/,
  ]);
  const right = 'tlsDir: /tls\nannotator: true\nannotatorRules: [{action: include}]\n';
  t.match(configOf({ file: right }), {
    annotator: true,
    annotatorDryRun: false,
    annotatorRules: [{ name: 'rule 1', action: 'include' }],
  });
});

t.test('plain text is for loopback addresses alone', async t => {
  const at = (address: string) => ['--plaintext', '--listen-address', address];
  for (const address of ['127.0.0.1:8443', '[::1]:0', '127.8.0.1:1']) {
    t.strictSame(problemsOf({ words: at(address) }), [], address);
  }
  for (const address of [':8443', '10.0.0.1:8443', 'localhost:8443', '[::]:8443']) {
    t.match(problemsOf({ words: at(address) }), [/would show tokens to the network at/], address);
  }
  t.match(problemsOf({ environment: { STEVEDORE_PLAINTEXT: '1', STEVEDORE_TLS_DIR: '/tls' } }), [
    /^STEVEDORE_PLAINTEXT and --tls-dir exclude each other/,
    /^STEVEDORE_PLAINTEXT would show tokens/,
  ]);
});
