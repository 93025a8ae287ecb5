// Where the commands of each page are run, or why they are not. A test fails of a block that has no
// row here, and of a row that has no block.

import { blocksOf, documentationPages, type PageBlock } from './page-blocks.ts';
import { fileIn } from './page-scene.ts';

/**
 * `alone`: in a root directory of its own, with an S3 server (commands.slow.test.ts). `cluster`: on
 * the cluster of test/velero, beneath a stock Velero server (test/velero/documentation.ts).
 */
export type Place = 'alone' | 'cluster';

export interface Row {
  readonly page: string;
  /** Only what stands below this heading. */
  readonly section?: string;
  /** Only what has these words. */
  readonly having?: string;
  readonly place?: Place;
  /** Why it is not run. */
  readonly why?: string;
}

const SUITE = 'it starts the suites, of which this is one';
const FOREGROUND = 'it stays in the foreground';
const INTERNET = 'charts and images of the Internet; the tests ask nobody there';
const VERBS = 'test/agent/commands runs each verb, beneath an emulated API server';
const NO_NAMES = 'pods of the test find no name of a Service; test/controller asks so';

/** The first row that fits a block counts. */
export const ROWS: readonly Row[] = Object.freeze([
  { page: 'CONTRIBUTING.md', why: SUITE },
  { page: 'README.md', section: 'See it work', why: `${SUITE}; CI plays the demo` },
  { page: 'README.md', place: 'alone' },
  {
    page: 'docs/annotate-pods.md',
    having: 'would be annotated',
    why: 'pods of the scenario have annotations of their own',
  },
  { page: 'docs/annotate-pods.md', place: 'cluster' },
  { page: 'docs/backup-nodes.md', place: 'cluster' },
  { page: 'docs/bandwidth.md', place: 'cluster' },
  { page: 'docs/cache-location.md', place: 'cluster' },
  { page: 'docs/cache.md', place: 'alone' },
  {
    page: 'docs/chart.md',
    why: 'test/charts/installed installs, upgrades and removes the chart so',
  },
  {
    page: 'docs/cli.md',
    section: 'Block devices',
    why: 'it needs five block devices; test/engine/cli/device.test.ts has them',
  },
  { page: 'docs/cli.md', having: 'stevedore queue', why: NO_NAMES },
  { page: 'docs/cli.md', section: 'See what moves in a cluster', why: VERBS },
  { page: 'docs/cli.md', having: 'kubectl', place: 'cluster' },
  { page: 'docs/cli.md', place: 'alone' },
  {
    page: 'docs/controller.md',
    section: 'Run it by hand',
    why: `${FOREGROUND}; test/cluster/leadership.test.ts starts it so`,
  },
  {
    page: 'docs/controller.md',
    section: 'Tell an agent of it',
    why: `${FOREGROUND}, on a node; the chart says the same to its agents`,
  },
  { page: 'docs/controller.md', having: 'port-forward', why: FOREGROUND },
  { page: 'docs/controller.md', having: 'stevedore queue', why: NO_NAMES },
  { page: 'docs/controller.md', place: 'cluster' },
  { page: 'docs/databases.md', place: 'cluster' },
  { page: 'docs/failed-moves.md', place: 'cluster' },
  { page: 'docs/install.md', why: INTERNET },
  { page: 'docs/kubectl-plugin.md', why: VERBS },
  { page: 'docs/node-agent.md', place: 'cluster' },
  {
    page: 'docs/observability.md',
    why: 'its cluster has no Prometheus operator; test/charts/installed makes those objects',
  },
  { page: 'docs/performance.md', why: 'it takes hours; CI runs the bench with --quick' },
  { page: 'docs/pre-copy.md', place: 'cluster' },
  {
    page: 'docs/releasing.md',
    why: 'it changes the checkout; test/release does the same in a copy',
  },
  {
    page: 'docs/restore.md',
    having: 'kubectl -n shop cp',
    why: 'the pods of the test do nothing, and have no tar',
  },
  { page: 'docs/restore.md', place: 'cluster' },
  {
    page: 'docs/switching.md',
    having: 'docker',
    why: 'the test packs the same files and gives them to containerd by that name',
  },
  { page: 'docs/switching.md', having: 'vmware-tanzu', why: INTERNET },
  { page: 'docs/switching.md', place: 'cluster' },
  { page: 'docs/tracing.md', why: 'test/agent/tracing.test.ts does the same with a collector' },
  { page: 'docs/upgrade.md', place: 'cluster' },
]);

function fits({ page, section, having }: Row, block: PageBlock): boolean {
  return (
    page === block.page &&
    (section === undefined || section === block.section) &&
    (having === undefined || block.text.includes(having))
  );
}

export function rowOf(block: PageBlock): Row | undefined {
  return ROWS.find(row => fits(row, block));
}

/** Of all pages, in their order. */
export function commandBlocks(): PageBlock[] {
  return documentationPages().flatMap(blocksOf).filter(isCommands);
}

function isCommands({ language }: PageBlock): boolean {
  return language === 'sh';
}

export function blocksThatRun(place: Place): PageBlock[] {
  return commandBlocks().filter(block => rowOf(block)?.place === place);
}

/** With the files that they name, in the order of the page. */
export function blocksAndFiles(place: Place, page: string): PageBlock[] {
  return blocksOf(page).filter(block =>
    isCommands(block) ? rowOf(block)?.place === place : fileIn(block) !== undefined,
  );
}
