// `stevedore preflight` against an API server that is emulated; test/cluster has a real one.

import t from 'tap';
import { versionFinding } from '#agent/commands/check-velero.ts';
import { checkLocalDisk } from '#agent/commands/check-node.ts';
import { findingsText } from '#agent/commands/preflight-report.ts';
import type { Finding } from '#agent/commands/finding.ts';
import { STORAGE_LOCATIONS } from '#agent/repositories/repository-objects.ts';
import { backedUpCluster, PASSWORD } from './backed-up-cluster.ts';
import { runCluster } from './run-cluster.ts';

interface Report {
  readonly fail: number;
  readonly findings: readonly Finding[];
}

async function report(kubeconfig: string, inPod = true): Promise<Report & { status: number }> {
  const environment: Record<string, string> = inPod ? { KUBERNETES_SERVICE_HOST: '10.0.0.1' } : {};
  const ran = await runCluster(['preflight', '-o', 'json'], { kubeconfig, environment });
  return { status: ran.status, ...(JSON.parse(ran.stdout) as Report) };
}

function of({ findings }: Report, check: string): string[] {
  return findings
    .filter(finding => finding.check === check)
    .map(({ verdict, text }) => `${verdict} ${text}`);
}

t.test('a cluster that is ready has nothing that fails, and nothing is written', async t => {
  const { api, kubeconfig } = await backedUpCluster(t);
  const found = await report(kubeconfig);
  t.equal(found.fail, 0, JSON.stringify(found));
  t.equal(found.status, 0);
  t.match(of(found, 'Velero server')[0], /^ok version 1\.18/);
  t.match(of(found, 'storage location default')[0], /^ok listed, and the repository of shop read/);
  t.match(of(found, 'repository password')[0], /^ok/);
  t.match(of(found, 'rights of the agents')[0], /^ok velero has all \d+ verbs/);
  t.notMatch(JSON.stringify(found), PASSWORD);
  const written = api.requests.filter(({ method }) => method !== 'GET');
  t.ok(written.every(({ path }) => path.includes('subjectaccessreviews')));
});

t.test('each thing that is wrong fails by its name, with what to do', async t => {
  const { api, kubeconfig } = await backedUpCluster(t);
  const where = { namespace: 'velero', name: 'velero-repo-credentials' };
  api.remove(
    { group: '', version: 'v1', plural: 'secrets', kind: 'Secret', isNamespaced: true },
    where,
  );
  api.change(STORAGE_LOCATIONS, { namespace: 'velero', name: 'default' }, location => {
    location.spec = { provider: 'azure', objectStorage: { bucket: 'b' } };
  });
  const backupNow = { apiVersion: 'velero.io/v1', kind: 'Backup', spec: {} };
  const metadata = { name: 'now', namespace: 'velero' };
  api.add({ ...backupNow, metadata, status: { phase: 'InProgress' } });
  const found = await report(kubeconfig);
  t.equal(found.status, 1);
  t.match(of(found, 'repository password')[0], /^fail .*it is not there/);
  t.match(of(found, 'storage location default')[0], /^fail .*provider azure is not supported/);
  t.match(of(found, 'running now')[0], /^warn backup now/);
  t.ok(found.findings.every(({ verdict, advice }) => verdict === 'ok' || advice !== undefined));
});

t.test('a right that is missing is named with its reason', async t => {
  const { api, kubeconfig } = await backedUpCluster(t);
  api.access.deny({ plural: 'podvolumebackups', verb: 'update' });
  const [right] = of(await report(kubeconfig), 'rights of the agents');
  t.match(right, /^fail velero may not update podvolumebackups\.velero\.io .*: the orders to back/);
});

t.test('from a laptop it is said what is not seen, and how to see it', async t => {
  const { kubeconfig } = await backedUpCluster(t);
  const found = await report(kubeconfig, false);
  t.match(of(found, 'storage location default')[0], /^warn .*not seen from here/);
});

t.test('versions that are too old fail, and those that nobody has tried are said', async t => {
  const verdict = (image: string) => versionFinding('v', image).verdict;
  t.equal(verdict('velero/velero:v1.15.2'), 'fail');
  t.equal(verdict('registry:5000/velero:v1.16.0'), 'ok');
  t.equal(verdict('velero/velero:v1.18.3-rc.1@sha256:00'), 'ok');
  t.equal(verdict('velero/velero:v1.19.0'), 'warn');
  t.equal(verdict('velero/velero:main'), 'warn');
  t.equal(verdict('registry:5000/velero'), 'warn');
});

t.test('the limit of a cache here is told with its reason', async t => {
  const [found] = await checkLocalDisk(t.testdir({}));
  t.match(found?.text, / free; a cache would get at most .*: what is free.*, less a margin of /);
  const [absent] = await checkLocalDisk('/nowhere/at/all');
  t.equal(absent?.verdict, 'fail');
});

t.test('a line of the table is no wider than the terminal, whatever stands in names', async t => {
  const check = `storage location ${'x'.repeat(70)}\u001b[2J`;
  const text = 'word '.repeat(60).trim();
  const table = findingsText([{ check, verdict: 'warn', text, advice: text }], 80);
  t.notMatch(table, '\u001b');
  const [, ...lines] = table.split('\n');
  t.ok(lines.every(line => line.length <= 80));
});
