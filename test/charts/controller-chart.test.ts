// What the chart renders of the controller; test/cluster/controller-chart.test.ts runs it.

import { X509Certificate } from 'node:crypto';
import t from 'tap';
import { parseYaml } from '#engine/base/yaml.ts';
import { helmIsMissing, renderChart } from './helm.ts';

const skip = helmIsMissing();
const IMAGE = '--set=image.repository=registry.example/stevedore';
const ENABLED = '--set=controller.enabled=true';

interface Rendered {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly data?: Readonly<Record<string, string>>;
  readonly spec?: object;
  readonly rules?: readonly { readonly resources: string[]; readonly verbs: string[] }[];
}

// Written by the chart; what is asked of it below fails where it is something else.
const render = (...words: string[]) => renderChart(IMAGE, ...words) as Rendered[];

function one(objects: readonly Rendered[], kind: string): Rendered | undefined {
  return objects.find(each => each.kind === kind && /controller/.test(each.metadata.name));
}

t.test('there is none where none is asked for, and agents are told of none', { skip }, async t => {
  const objects = render();
  t.strictSame(
    objects.filter(({ metadata }) => /controller/.test(metadata.name)),
    [],
  );
  t.notMatch(JSON.stringify(objects), 'controller');
});

t.test('agents know it by its authority, and show a token that is for it', { skip }, async t => {
  const agents = render(ENABLED).find(({ kind }) => kind === 'DaemonSet');
  const text = JSON.stringify(agents);
  const caFile = '/var/run/secrets/stevedore.io/controller/ca.crt';
  t.match(text, '"STEVEDORE_CONTROLLER","value":"stevedore-controller.velero.svc:8443"');
  t.match(text, `"STEVEDORE_CONTROLLER_CA_FILE","value":"${caFile}"`);
  t.match(text, '"audience":"stevedore.io/controller"');
  const secret = '"name":"stevedore-controller-tls","items":[{"key":"ca.crt","path":"ca.crt"}]';
  // An authority without one, or late, would keep each agent of the cluster from starting.
  t.match(text, `"secret":{${secret},"optional":true}`);
});

t.test('a generated certificate is for the name that agents call it by', { skip }, async t => {
  const { data = {} } = one(render(ENABLED), 'Secret') ?? {};
  const [certificate, authority] = ['tls.crt', 'ca.crt'].map(
    name => new X509Certificate(Buffer.from(data[name] ?? '', 'base64')),
  );
  t.equal(certificate?.checkHost('stevedore-controller.velero.svc') !== undefined, true);
  t.ok(authority && certificate?.verify(authority.publicKey));
});

t.test('cert-manager or a Secret that is there can be taken in its place', { skip }, async t => {
  const tls = 'controller.tls';
  const words = [`--set=${tls}.type=certManager,${tls}.issuerRef.name=mine`];
  const managed = render(ENABLED, ...words, `--set=${tls}.issuerRef.kind=ClusterIssuer`);
  t.notOk(one(managed, 'Secret'));
  t.match(one(managed, 'Certificate'), {
    apiVersion: 'cert-manager.io/v1',
    spec: {
      secretName: 'stevedore-controller-tls',
      dnsNames: ['stevedore-controller.velero.svc'],
      issuerRef: { name: 'mine', kind: 'ClusterIssuer' },
    },
  });
  const own = render(ENABLED, `--set=${tls}.type=secret,${tls}.secretName=made-by-hand`);
  t.notOk(one(own, 'Secret'));
  t.match(JSON.stringify(one(own, 'Deployment')), '"secretName":"made-by-hand"');
});

const WINDOWS = [
  { name: 'office', from: '0 8 * * *', until: '0 18 * * *', timeZone: 'UTC', uploadRate: '50MiB' },
];

t.test('its settings are a file, and a change of it is no rollout', { skip }, async t => {
  const settingsOf = (...words: string[]) => {
    const objects = render(ENABLED, ...words);
    const { data = {} } = one(objects, 'ConfigMap') ?? {};
    const settings = parseYaml(data['controller.yaml'] ?? '', 'the settings');
    return { deployment: one(objects, 'Deployment'), settings };
  };
  const usual = settingsOf();
  const slots = { clusterSlots: 4, storageClassSlots: {}, locationSlots: {}, rateWindows: [] };
  t.strictSame(usual.settings, { ...slots, nothingStuck: true });
  const configuration = 'controller.configuration';
  const other = settingsOf(
    `--set=${configuration}.nodeSlots=0,${configuration}.locationSlots.offsite=2`,
    `--set=${configuration}.uploadRate=200MiB`,
    `--set-json=${configuration}.rateWindows=${JSON.stringify(WINDOWS)}`,
  );
  t.match(other.settings, { nodeSlots: 0, locationSlots: { offsite: 2 } }, '0 is a limit');
  t.match(other.settings, { uploadRate: '200MiB', rateWindows: WINDOWS });
  t.strictSame(other.deployment, usual.deployment, 'it reads its file again');
  const restarting = [`${configuration}.nothingStuck=false`, 'controller.annotator.enabled=true'];
  for (const change of restarting) {
    t.strictNotSame(settingsOf(`--set=${change}`).deployment, usual.deployment, change);
  }
});

t.test(
  'pods are annotated where that is asked for, and only then with rights',
  { skip },
  async t => {
    const rightsOf = (objects: readonly Rendered[]) =>
      (one(objects, 'ClusterRole')?.rules ?? []).flatMap(({ resources, verbs }) =>
        resources.flatMap(resource => verbs.map(verb => `${verb} ${resource}`)),
      );
    const settingsOf = (objects: readonly Rendered[]) =>
      parseYaml(one(objects, 'ConfigMap')?.data?.['controller.yaml'] ?? '', 'the settings');
    const rules = 'controller.annotator.rules[0]';
    const words = [
      `--set=${rules}.action=include,${rules}.namespaces={shop-*},${rules}.sizeMax=5Gi`,
    ];
    const off = render(ENABLED, ...words);
    const added = (objects: readonly Rendered[]) =>
      rightsOf(objects).filter(right => !rightsOf(off).includes(right));
    t.notMatch(rightsOf(off).join(), /list|watch|patch/);
    t.notMatch(JSON.stringify(settingsOf(off)), 'annotator');
    const reading = ['pods', 'persistentvolumeclaims', 'persistentvolumes'].flatMap(resource => [
      `list ${resource}`,
      `watch ${resource}`,
    ]);
    const on = render(ENABLED, ...words, '--set=controller.annotator.enabled=true');
    t.strictSame(added(on), [...reading, 'patch pods']);
    t.match(settingsOf(on), {
      annotator: true,
      annotatorDryRun: false,
      annotatorRules: [{ action: 'include', namespaces: ['shop-*'], sizeMax: '5Gi' }],
    });
    const dry = ['--set=controller.annotator.enabled=true,controller.annotator.dryRun=true'];
    const tried = render(ENABLED, ...words, ...dry);
    t.strictSame(added(tried), reading, 'it cannot write');
    t.match(settingsOf(tried), { annotatorDryRun: true });
    for (const wrong of ['acton=include', 'action=drop', `action=include,${rules}.sizeMin=5GiB`]) {
      t.throws(() => render(ENABLED, `--set=${rules}.${wrong}`), { message: 'annotator' }, wrong);
    }
  },
);

t.test(
  'volumes are copied ahead where that is asked for, and only then with rights',
  { skip },
  async t => {
    const rightsOf = (objects: readonly Rendered[]) =>
      objects.flatMap(({ kind, metadata: { name }, rules = [] }) =>
        rules.flatMap(({ resources, verbs }) =>
          resources.flatMap(resource => verbs.map(verb => `${kind} ${name} ${verb} ${resource}`)),
        ),
      );
    const settingsOf = (objects: readonly Rendered[]) =>
      parseYaml(one(objects, 'ConfigMap')?.data?.['controller.yaml'] ?? '', 'the settings');
    const off = render(ENABLED);
    const on = render(ENABLED, '--set=controller.preCopy.enabled=true');
    t.notMatch(JSON.stringify(settingsOf(off)), 'preCopy');
    t.match(settingsOf(on), { preCopy: true });
    t.strictNotSame(one(on, 'Deployment'), one(off, 'Deployment'), 'it begins anew');
    const added = rightsOf(on).filter(right => !rightsOf(off).includes(right));
    t.strictSame(added.toSorted(), [
      'ClusterRole velero-stevedore-controller list pods',
      'ClusterRole velero-stevedore-controller watch pods',
      'ClusterRole velero-stevedore-controller-events create events',
      'Role stevedore-controller list backupstoragelocations',
      'Role stevedore-controller list schedules',
      'Role stevedore-controller watch backupstoragelocations',
      'Role stevedore-controller watch schedules',
    ]);
    const teller = 'velero-stevedore-controller-events';
    const told = on.find(({ kind, metadata }) => /Binding$/.test(kind) && metadata.name === teller);
    t.match(told, {
      subjects: [{ name: 'stevedore-controller' }, { name: 'stevedore-node-agent' }],
    });
  },
);

t.test('controllers that do not run anyway keep no node from being drained', { skip }, async t => {
  const spec = { maxUnavailable: 1, unhealthyPodEvictionPolicy: 'AlwaysAllow' };
  t.match(one(render(ENABLED), 'PodDisruptionBudget'), { spec });
  // Kubernetes knows the field since 1.27 (KEP 3017); before, an API server refuses it.
  const older = one(render(ENABLED, '--kube-version=1.26.0'), 'PodDisruptionBudget');
  t.strictSame(Object.keys(older?.spec ?? {}), ['maxUnavailable', 'selector']);
});

t.test('the status page has an address, or is turned off, by a restart', { skip }, async t => {
  const deploymentWith = (address: string) => {
    const set = `--set=controller.configuration.statusAddress=${address}`;
    const objects = render(ENABLED, set);
    const settings = parseYaml(one(objects, 'ConfigMap')?.data?.['controller.yaml'] ?? '', 'it');
    t.match(settings, { statusAddress: address });
    return one(objects, 'Deployment');
  };
  t.strictNotSame(deploymentWith('none'), deploymentWith('127.0.0.1:9090'));
});

const LONG = 'n'.repeat(63);

t.test('names of what is of the cluster differ in the longest namespace', { skip }, async t => {
  const objects = render(
    ...[ENABLED, `--namespace=${LONG}`, '--set=controller.preCopy.enabled=true'],
    ...['--set=openshift.enabled=true,openshift.scc.create=true,priorityClass.create=true'],
  );
  const names = objects
    .filter(({ kind }) => /^(Cluster|Priority|SecurityContext)/.test(kind))
    .map(({ kind, metadata }) => `${kind} ${metadata.name}`);
  t.equal(names.length, 8);
  t.strictSame([...new Set(names)], names);
  for (const { kind, metadata } of objects) t.ok(metadata.name.length <= 253, kind);
});

t.test('one replica has no disruption budget, and the policy is optional', { skip }, async t => {
  const both = render(ENABLED);
  t.ok(one(both, 'PodDisruptionBudget') && one(both, 'NetworkPolicy'));
  const single = render(ENABLED, '--set=controller.replicas=1,controller.networkPolicy=false');
  t.notOk(one(single, 'PodDisruptionBudget') ?? one(single, 'NetworkPolicy'));
});

t.test('what ends stuck moves may do so, and only where it is on', { skip }, async t => {
  const rulesOf = (...words: string[]) =>
    JSON.stringify(
      render(ENABLED, ...words).filter(
        ({ kind, metadata }) => /Role$/.test(kind) && /controller$/.test(metadata.name),
      ),
    );
  const moves = '"podvolumebackups","podvolumerestores","datauploads","datadownloads"';
  t.match(rulesOf(), `[${moves}],"verbs":["get","list","watch","update"]`);
  t.match(rulesOf(), '["nodes","pods"],"verbs":["get"]');
  const off = rulesOf('--set=controller.configuration.nothingStuck=false');
  t.notMatch(off, /podvolume|data(up|down)load/);
  t.notMatch(off, '"nodes"');
});
