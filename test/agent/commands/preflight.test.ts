// `stevedore preflight` against an API server that is emulated; test/cluster has a real one.

import t from 'tap';
import { versionFinding } from '#agent/commands/check-velero.ts';
import { checkLocalDisk } from '#agent/commands/check-node.ts';
import { findingsText } from '#agent/commands/preflight-report.ts';
import type { Finding } from '#agent/commands/finding.ts';
import { PODS } from '#kube/core-resources.ts';
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

t.test('a node without an agent is told from one that has one', async t => {
  const { kubeconfig } = await backedUpCluster(t);
  const ran = await runCluster(['preflight', '--node', 'n7', '-o', 'json'], { kubeconfig });
  const found = of(JSON.parse(ran.stdout) as Report, 'nodes');
  t.match(found[0], /^warn node n7 has no agent to ask/);
});

t.test('an agent that cannot be asked hides no other, and ends no report', async t => {
  const { api, kubeconfig } = await backedUpCluster(t);
  for (const nodeName of ['n1', 'n2']) {
    api.add({
      ...{ kind: 'Pod', metadata: { name: `agent-${nodeName}`, namespace: 'velero' } },
      ...{ spec: { nodeName, containers: [{ name: 'node-agent', image: 'stevedore' }] } },
      status: { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] },
    });
    const where = { namespace: 'velero', name: `agent-${nodeName}` };
    api.change(PODS, where, pod => {
      pod.metadata = { ...pod.metadata, labels: { role: 'node-agent' } };
    });
  }
  // The emulator has no proxy; a network policy is a 503 of the real one.
  const found = await report(kubeconfig, false);
  t.match(of(found, 'node n1')[0], /^warn the agent agent-n1 is ready; its cache is not seen: /);
  t.match(of(found, 'node n2')[0], /^warn the agent agent-n2 is ready; its cache is not seen: /);
});

t.test('in a pod of an agent it asks for itself, and looks at what it may', async t => {
  const { api, kubeconfig } = await backedUpCluster(t);
  for (const plural of ['subjectaccessreviews', 'deployments']) api.access.deny({ plural });
  api.access.deny({ plural: 'backupstoragelocations', verb: 'list' });
  const found = await report(kubeconfig);
  t.equal(found.fail, 0, JSON.stringify(found.findings));
  t.match(of(found, 'rights of the agents')[0], /^ok velero has all \d+ verbs/);
  t.match(
    of(found, 'storage locations')[0],
    /^warn they may not be listed; what repositories name/,
  );
  t.match(of(found, 'storage location default')[0], /^ok listed, and the repository of shop read/);
  const unseen = found.findings.filter(({ text }) => /^not seen|may not be listed/.test(text));
  t.strictSame(
    unseen.map(({ check }) => check),
    ['Velero server', 'storage locations'],
  );
  for (const { advice } of unseen) t.match(advice, /run kubectl stevedore preflight from your own/);
});

t.test('beside the agent of Velero only what ours does there is asked for', async t => {
  const { api, kubeconfig } = await backedUpCluster(t);
  const args = ['node-agent', 'server', '--data-mover=stevedore'];
  const containers = [{ name: 'node-agent', image: 'stevedore:1', args }];
  api.add({
    ...{ kind: 'DaemonSet', metadata: { name: 'stevedore-agent', namespace: 'velero' } },
    spec: { template: { spec: { containers, serviceAccountName: 'ours' } } },
    status: { desiredNumberScheduled: 3, numberReady: 3 },
  });
  api.access.deny({ plural: 'podvolumebackups', verb: 'update' });
  const found = await report(kubeconfig, false);
  t.match(of(found, 'rights of the agents'), [/^ok ours has all \d+ verbs/]);
  t.match(of(found, 'node agents')[1], /^ok stevedore-agent is Stevedore, 3 of 3 ready/);
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
