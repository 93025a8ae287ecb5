// Who may import whom (DESIGN.md §3), as data and one pure function; ranks.ts runs it on the tree.
//
// A file belongs to an area: the last row of AREAS whose prefix its path begins with. An import is
// fine when the imported area is among those that the row names.

import { posix } from 'node:path';

interface Area {
  readonly name: string;
  /** Path prefix of its files; ends in `/` for folders. */
  readonly prefix: string;
  /** Names of areas it may import from besides itself. */
  readonly mayImport: readonly string[];
}

const PURE = ['hash', 'cipher', 'compress', 'chunk', 'format', 'index'];
const MIDDLE = ['storage', 'workers'];
/** From the bottom up; a rank imports from every rank below it and never from its own. */
const ENGINE_RANKS: readonly (readonly string[])[] = [
  ['base'],
  PURE,
  MIDDLE,
  ['cache'],
  ['content'],
  ['object', 'manifest'],
  ['snapshot'],
  ['maintain'],
];
const ENGINE_FOLDERS = ENGINE_RANKS.flat();

const engineAreas: Area[] = ENGINE_RANKS.flatMap((folders, rank) =>
  folders.map(name => ({
    name,
    prefix: `agent/engine/${name}/`,
    mayImport: ENGINE_RANKS.slice(0, rank).flat(),
  })),
);

/**
 * What any program of ours that stays needs, and nothing of what it does: its log, its health, its
 * metrics, its settings. The agent and the controller are such programs; neither knows the other.
 */
const SERVICE_FILES = [
  'bounded-server.ts',
  'config-values.ts',
  'controller-settings.ts',
  'health.ts',
  'log-secrets.ts',
  'log.ts',
  'nearest-name.ts',
  'process-metrics.ts',
  'prometheus.ts',
  'read-settings.ts',
  'readiness.ts',
  'run-service.ts',
  'service-settings.ts',
  'setting.ts',
];

const serviceAreas: Area[] = SERVICE_FILES.map(file => ({
  name: 'service',
  prefix: `agent/${file}`,
  // Of the command: its parser of words and sizes, and what it does to text for a terminal.
  mayImport: ['cli', 'base'],
}));

/** Rows further down win, so that `agent/` is what remains of agent/. */
export const AREAS: readonly Area[] = Object.freeze([
  {
    name: 'agent',
    prefix: 'agent/',
    // Of the command: its parser of words, sizes and limits.
    mayImport: [
      'service',
      'engine',
      'cli',
      'kube',
      'exposer',
      'moves',
      'volumes',
      'repositories',
      'volume-mover',
      'coordinator',
      'pre-copy',
      'base',
    ],
  },
  ...serviceAreas,
  // Which rights either program is refused.
  { name: 'service', prefix: 'agent/refused-rights.ts', mayImport: ['kube', 'base'] },
  {
    name: 'cluster-commands',
    prefix: 'agent/commands/',
    // It looks at all that the agent works with, and asks the controller as others do and in its
    // words.
    mayImport: [
      'agent',
      'commands',
      'coordinator',
      'service',
      'engine',
      'cli',
      'kube',
      'moves',
      'repositories',
      'proto',
      'cache',
      'storage',
      'base',
    ],
  },
  { name: 'coordinator', prefix: 'agent/coordinator/', mayImport: ['moves', 'base', 'proto'] },
  {
    name: 'launcher',
    prefix: 'agent/stevedore.js',
    mayImport: ['agent', 'cluster-commands', 'controller', 'commands', 'cli', 'base'],
  },
  { name: 'engine', prefix: 'agent/engine/', mayImport: ENGINE_FOLDERS },
  ...engineAreas,
  { name: 'cli', prefix: 'agent/engine/cli/', mayImport: ['engine', ...ENGINE_FOLDERS] },
  { name: 'kube', prefix: 'agent/kube/', mayImport: ['base'] },
  { name: 'moves', prefix: 'agent/moves/', mayImport: ['exposer', 'kube', 'base'] },
  { name: 'pre-copy', prefix: 'agent/pre-copy/', mayImport: ['moves', 'base'] },
  { name: 'exposer', prefix: 'agent/exposer/', mayImport: ['kube', 'base'] },
  { name: 'volumes', prefix: 'agent/volumes/', mayImport: ['kube', 'base'] },
  {
    name: 'repositories',
    prefix: 'agent/repositories/',
    mayImport: ['engine', 'kube', 'moves', 'base', ...MIDDLE, 'cache'],
  },
  {
    name: 'volume-mover',
    prefix: 'agent/volume-mover/',
    mayImport: ['engine', 'moves', 'volumes', 'repositories', 'base'],
  },
  {
    name: 'controller',
    prefix: 'controller/',
    mayImport: ['annotator', 'nothing-stuck', 'status-page', 'base', 'kube', 'proto', 'service'],
  },
  {
    name: 'status-page',
    prefix: 'controller/status-page/',
    // The words that the commands have for what they show, too.
    mayImport: ['commands', 'coordinator', 'service', 'cli', 'proto', 'base'],
  },
  {
    name: 'annotator',
    prefix: 'controller/annotator/',
    mayImport: ['kube', 'service', 'base'],
  },
  {
    name: 'nothing-stuck',
    prefix: 'controller/nothing-stuck/',
    // What moves are to a Velero server, which the agent knows.
    mayImport: ['moves', 'exposer', 'kube', 'service', 'cli', 'base'],
  },
  {
    name: 'commands',
    prefix: 'controller/commands/',
    // The agent's way to the controller, and its words for why a volume waits; what the annotator
    // decides.
    mayImport: ['annotator', 'coordinator', 'service', 'cli', 'kube', 'proto', 'base'],
  },
  { name: 'proto', prefix: 'proto/', mayImport: ['base'] },
  { name: 'dashboards', prefix: 'charts/dashboards/', mayImport: [] },
  // Makes what is published of this repository, and runs nothing of it.
  { name: 'release', prefix: 'release/', mayImport: [] },
]);

const ALIASES: readonly (readonly [string, string])[] = [
  ['#agent/', 'agent/'],
  ['#engine/', 'agent/engine/'],
  ['#kube/', 'agent/kube/'],
  ['#controller/', 'controller/'],
  ['#proto/', 'proto/'],
  ['#release/', 'release/'],
  ['#test/', 'test/'],
];

/**
 * The one file that imports a package, for each package that ships. Replacing a package then means
 * changing one file; docs/adr/0008-dependencies.md says what each of them is for.
 */
export const PACKAGE_OWNERS: Readonly<Record<string, string>> = Object.freeze({
  koffi: 'agent/engine/base/native.ts',
  'fastcdc-wasm': 'agent/engine/chunk/fastcdc.ts',
  '@aws-sdk/client-s3': 'agent/engine/storage/s3-client.ts',
  '@noble/hashes': 'agent/engine/hash/noble.ts',
  'check-disk-space': 'agent/engine/cache/disk-space.ts',
  'lru-cache': 'agent/engine/cache/hot-ranges.ts',
  '@kubernetes/client-node': 'agent/kube/kube-config-class.ts',
  '@grafana/grafana-foundation-sdk': 'charts/dashboards/make-dashboard.ts',
  pino: 'agent/log.ts',
  'prom-client': 'agent/prometheus.ts',
  '@opentelemetry/api': 'agent/otlp-tracing.ts',
  '@opentelemetry/exporter-trace-otlp-http': 'agent/otlp-tracing.ts',
  '@opentelemetry/resources': 'agent/otlp-tracing.ts',
  '@opentelemetry/sdk-trace': 'agent/otlp-tracing.ts',
  yaml: 'agent/engine/base/yaml.ts',
  commander: 'agent/engine/cli/command-line.ts',
  'cli-progress': 'agent/engine/cli/progress-bar.ts',
  croner: 'controller/bandwidth/cron.ts',
  '@grpc/grpc-js': 'proto/grpc.ts',
  '@grpc/proto-loader': 'proto/grpc.ts',
  protobufjs: 'proto/build-proto.ts',
  assemblyscript: 'agent/engine/build-wasm.ts',
  esbuild: 'agent/build.js',
  typescript: 'test/tidy/import-list.ts',
});

/** Packages for tests alone; any test may import them, nothing else may. */
const TEST_PACKAGES: ReadonlySet<string> = new Set(['tap', 'playwright-core']);

/** What is wrong with `file` importing `specifier`; undefined when nothing is. */
export function faultOfImport(file: string, specifier: string): string | undefined {
  if (specifier.startsWith('node:')) return undefined;
  if (specifier.includes('../')) return 'imports go to ./ or through a #alias, never upward';
  if (specifier.startsWith('./')) return faultOfRelative(file, specifier);
  const alias = ALIASES.find(([prefix]) => specifier.startsWith(prefix));
  if (alias) return faultOfTarget(file, alias[1] + specifier.slice(alias[0].length));
  if (specifier.startsWith('#') || specifier.startsWith('/')) return 'no such alias';
  return faultOfPackage(file, packageNameOf(specifier));
}

/** The name of the area that `path` belongs to; undefined for test/ and for what is outside. */
export function areaOf(path: string): string | undefined {
  return AREAS.findLast(area => path.startsWith(area.prefix))?.name;
}

function faultOfRelative(file: string, specifier: string): string | undefined {
  const target = posix.join(posix.dirname(file), specifier);
  const isNeighbour = posix.dirname(file) === posix.dirname(target);
  const isLauncher = areaOf(file) === 'launcher';
  if (areaOf(file) !== areaOf(target) && !isNeighbour && !isLauncher) {
    return `${target} is in another folder; import it through its #alias`;
  }
  return faultOfTarget(file, target);
}

function faultOfTarget(file: string, target: string): string | undefined {
  if (file.startsWith('test/')) return undefined;
  if (target.startsWith('test/')) return 'what ships never imports from test/';
  const from = AREAS.findLast(area => file.startsWith(area.prefix));
  const to = areaOf(target);
  if (from === undefined || to === undefined) return `${file} or ${target} is in no known folder`;
  if (from.name === to || from.mayImport.includes(to)) return undefined;
  const allowed = from.mayImport.join(', ') || 'nothing';
  return `${from.name} may not import from ${to} (it may from: ${allowed})`;
}

function faultOfPackage(file: string, name: string): string | undefined {
  if (TEST_PACKAGES.has(name)) {
    return file.startsWith('test/') ? undefined : `${name} is for tests alone`;
  }
  const owner = PACKAGE_OWNERS[name];
  if (owner === undefined) return `${name} has no row in PACKAGE_OWNERS (test/tidy/rank-table.ts)`;
  // A test may compare with the package itself.
  const isFine = owner === file || file.endsWith('.test.ts');
  return isFine ? undefined : `only ${owner} imports ${name}`;
}

function packageNameOf(specifier: string): string {
  return specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/');
}
