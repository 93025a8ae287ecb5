// charts/stevedore: that it asks for what the agent needs and for no more, by reading its files;
// and where there is a helm, what it renders and what it refuses.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { SETTINGS } from '#agent/config-table.ts';
import { longFlag, type Setting } from '#agent/setting.ts';
import type { DataMover } from '#agent/moves/exposed-moves.ts';
import { PERMISSIONS, permissionsFor } from '#agent/permissions.ts';
import { SETTINGS as CONTROLLER } from '#controller/config-table.ts';
import { parseYaml } from '#engine/base/yaml.ts';
import { REPOSITORY_ROOT } from '#test/tidy/source-files.ts';
import { CHART, helm, helmIsMissing, renderChart } from './helm.ts';

const template = (name: string) => readFileSync(join(CHART, 'templates', name), 'utf8');
const settings: readonly Setting<unknown>[] = Object.values(SETTINGS);

/** Without its conditions: a part of the file for each object. */
function rulesOf(kind: string): unknown {
  const text = template('rbac.yaml').replace(/^ +\{\{-.*\n/gm, '');
  const part = text.split(new RegExp(`^kind: ${kind}$`, 'm'))[1] ?? '';
  const [rules = ''] = part.slice(part.indexOf('rules:')).split('\n---');
  return (parseYaml(rules, kind) as { rules: unknown }).rules;
}

function ruleOf({ group, resource, verbs }: (typeof PERMISSIONS)[number]) {
  return { apiGroups: [group], resources: [resource], verbs };
}

function wantedRules(isNamespaced: boolean, dataMover: DataMover = 'velero') {
  return permissionsFor(dataMover)
    .filter(each => each.isNamespaced === isNamespaced)
    .map(ruleOf);
}

t.test('the roles allow each verb that the agent uses, and nothing else', async t => {
  t.strictSame(rulesOf('Role'), wantedRules(true));
  t.strictSame(rulesOf('ClusterRole'), wantedRules(false));
});

t.test('each rule says what it is for', async t => {
  for (const { reason } of PERMISSIONS) {
    t.match(template('rbac.yaml').replace(/\n +# /g, ' '), reason);
  }
});

t.test('outside of the namespace the agent writes what moves of snapshots need alone', async t => {
  const reading = new Set(['get', 'list', 'watch']);
  const written = PERMISSIONS.filter(each => !each.isNamespaced).flatMap(({ resource, verbs }) =>
    verbs.filter(verb => !reading.has(verb)).map(verb => `${verb} ${resource}`),
  );
  t.strictSame(written, [
    'patch persistentvolumeclaims',
    'patch persistentvolumes',
    'delete volumesnapshots',
    'create volumesnapshotcontents',
    'patch volumesnapshotcontents',
    'delete volumesnapshotcontents',
  ]);
});

t.test('flags and variables of the DaemonSet are those of the agent', async t => {
  const text = template('daemonset.yaml');
  const flags = new Set(settings.map(({ flags }) => longFlag(flags)));
  const variables = new Set(settings.flatMap(({ variables }) => variables));
  for (const [, flag = ''] of text.matchAll(/^ +- (--[a-z-]+)=/gm)) t.ok(flags.has(flag), flag);
  for (const [, name = ''] of text.matchAll(/- name: ([A-Z_]+)$/gm)) {
    t.ok(variables.has(name), name);
  }
});

t.test('the capabilities are those that the Dockerfile gives reasons for', async t => {
  const listed = /list ((?:"[A-Z_]+" ?)+)/.exec(template('_names.tpl'))?.[1] ?? '';
  const dockerfile = readFileSync(join(REPOSITORY_ROOT, 'Dockerfile'), 'utf8');
  const reasoned = [...dockerfile.matchAll(/^# {3}([A-Z_]+) {2}/gm)].map(([, name]) => name);
  t.ok(reasoned.length > 0);
  t.strictSame(listed.replaceAll('"', '').trim().split(' ').sort(), reasoned.sort());
});

t.test('flags and settings of the controller are those that it has', async t => {
  const rows: readonly (readonly [string, Setting<unknown>])[] = Object.entries(CONTROLLER);
  const flags = new Set(['--config', ...rows.map(([, { flags }]) => longFlag(flags))]);
  const found = [...template('controller.yaml').matchAll(/^ +- (--[a-z-]+)=/gm)];
  t.ok(found.length > 0);
  for (const [, flag = ''] of found) t.ok(flags.has(flag), flag);
  const values = parseYaml(readFileSync(join(CHART, 'values.yaml'), 'utf8'), 'values.yaml');
  const { controller } = values as { controller: { configuration: object } };
  const keys = new Set(rows.map(([key]) => key));
  for (const key of Object.keys(controller.configuration)) t.ok(keys.has(key), key);
});

const IMAGE = '--set=image.repository=registry.example/stevedore';
const BESIDE = '--set=nodeAgent.besideStock=true';
/** But for the name of a container, which nobody looks for. */
const STOCK_NAME = /"(role|name)":"node-agent"(?!,"image")/;
const skip = helmIsMissing();

interface Rendered {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly labels: Record<string, string> };
  readonly spec: { readonly template: { readonly spec: PodSpec; readonly metadata: object } };
  readonly rules?: readonly object[];
}

interface PodSpec {
  readonly containers: readonly {
    readonly args: readonly string[];
    readonly securityContext: object;
    readonly volumeMounts: readonly { readonly name: string }[];
  }[];
  readonly volumes: readonly { readonly name: string }[];
  readonly securityContext: object;
}

function render(...words: string[]): Rendered[] {
  // Written by the chart; what is asked of it below fails where it is something else.
  return renderChart(IMAGE, ...words) as Rendered[];
}

function daemonSet(...words: string[]): Rendered {
  const found = render(...words).find(({ kind }) => kind === 'DaemonSet');
  if (found === undefined) throw new Error('there is no DaemonSet');
  return found;
}

t.test('helm finds nothing to say about the chart', { skip }, async t => {
  t.match(helm('lint', '--strict', CHART, IMAGE), '0 chart(s) failed');
});

t.test('what is installed is what Velero looks for', { skip }, async t => {
  const { metadata, spec } = daemonSet();
  t.match(metadata, { name: 'node-agent', labels: { component: 'velero' } });
  t.match(spec.template.metadata, { labels: { name: 'node-agent', role: 'node-agent' } });
  const [container, ...others] = spec.template.spec.containers;
  t.strictSame(others, [], 'one container: movers of a stock agent copy it');
  t.match(container, {
    image: 'registry.example/stevedore:0.1.0',
    ports: [{ name: 'http-monitoring', containerPort: 8085 }],
    securityContext: {
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'], add: ['CHOWN', 'DAC_OVERRIDE'] },
    },
  });
  t.ok(container?.args.includes('--cache-limit=20GiB'));
  t.ok(container?.args.includes('--shutdown-grace=55s'));
  t.ok(container?.args.includes('--cache-empty-dir-size=22540MiB'));
  const cache = spec.template.spec.volumes.find(({ name }) => name === 'cache');
  t.match(cache, { emptyDir: { sizeLimit: '22540Mi' } }, 'a tenth above the limit');
});

t.test("beside Velero's agent it is found by none of its names", { skip }, async t => {
  const objects = render(BESIDE, '--set=nodeAgent.podLabels.role=node-agent');
  t.notMatch(JSON.stringify(objects), STOCK_NAME);
  t.match(JSON.stringify(daemonSet()), STOCK_NAME);
  const { metadata, spec } = daemonSet(BESIDE, '--set=nodeAgent.podLabels.role=node-agent');
  t.equal(metadata.name, 'stevedore-agent');
  t.match(spec.template.metadata, {
    labels: { name: 'stevedore-agent', role: 'stevedore-agent', component: 'velero' },
  });
  const args = spec.template.spec.containers[0]?.args;
  t.match(args?.join(), '--data-mover=stevedore,--daemon-set=stevedore-agent');
  for (const kind of ['Role', 'ClusterRole']) {
    const { rules } = objects.find(each => each.kind === kind) ?? {};
    t.strictSame(rules, wantedRules(kind === 'Role', 'stevedore'), kind);
  }
  t.notMatch(JSON.stringify(objects), 'podvolume');
});

t.test("the kubelet's configuration is mounted where it is asked for", { skip }, async t => {
  const mountsOf = (...words: string[]) => {
    const { containers, volumes } = daemonSet(...words).spec.template.spec;
    const isKubelets = ({ name }: { readonly name: string }) => name.startsWith('kubelet-');
    const flags = containers[0]?.args.filter(each => each.startsWith('--kubelet-'));
    const mounts = containers[0]?.volumeMounts.filter(isKubelets);
    return { flags, mounts, volumes: volumes.filter(isKubelets) };
  };
  const nothing = { flags: [], mounts: [], volumes: [] };
  t.strictSame(mountsOf(), nothing, "the kubelet's defaults");
  const inPod = '/var/lib/kubelet/config.yaml';
  const dropIns = '/etc/kubernetes/kubelet.conf.d';
  const named = 'cache.kubeletConfig=/etc/k.json,cache.kubeletConfigDir=/etc/k.json.d';
  const found = mountsOf(`--set=${named}`);
  t.strictSame(found, {
    flags: [`--kubelet-config=${inPod}`, `--kubelet-config-dir=${dropIns}`],
    mounts: [
      { name: 'kubelet-config', mountPath: inPod, readOnly: true },
      { name: 'kubelet-config-dir', mountPath: dropIns, readOnly: true },
    ],
    volumes: [
      { name: 'kubelet-config', hostPath: { path: '/etc/k.json', type: 'File' } },
      { name: 'kubelet-config-dir', hostPath: { path: '/etc/k.json.d', type: 'Directory' } },
    ],
  });
  for (const type of ['none', 'ephemeral', 'memory', 'pvc,cache.claim=shared']) {
    t.strictSame(mountsOf(`--set=cache.type=${type},${named}`), nothing, type);
  }
});

t.test('whatever is set, nothing is made on a node but a cache that is asked for', async t => {
  const types = template('daemonset.yaml').match(/hostPath: {.*}/g) ?? [];
  // Without a type containerd makes a directory, in which an agent finds no volume.
  const making = types.filter(each => !/, type: (File|Directory) }$/.test(each));
  t.strictSame(making, [
    'hostPath: { path: {{ $cache.hostPath | quote }}, type: DirectoryOrCreate }',
  ]);
  t.equal(types.length, 5);
});

/** The volume of a cache, and what the agent is told of it and of its node. */
const CACHE_TYPES: Readonly<Record<string, { volume: object; isSized: boolean; set?: string }>> = {
  emptyDir: { volume: { emptyDir: { sizeLimit: '2254Mi' } }, isSized: true },
  memory: { volume: { emptyDir: { medium: 'Memory', sizeLimit: '2254Mi' } }, isSized: true },
  hostPath: {
    volume: { hostPath: { path: '/mnt/cache', type: 'DirectoryOrCreate' } },
    isSized: false,
    set: 'hostPath=/mnt/cache',
  },
  pvc: {
    volume: { persistentVolumeClaim: { claimName: 'shared' } },
    isSized: false,
    set: 'claim=shared',
  },
};

for (const [type, { volume, isSized, set }] of Object.entries(CACHE_TYPES)) {
  t.test(
    `a cache of the type ${type} is mounted, and the agent told its bounds`,
    { skip },
    async t => {
      const more = set === undefined ? [] : [`--set=cache.${set}`];
      const { containers, volumes } = daemonSet(`--set=cache.type=${type},cache.limit=2Gi`, ...more)
        .spec.template.spec;
      t.strictSame(
        volumes.filter(({ name }) => name === 'cache'),
        [{ name: 'cache', ...volume }],
      );
      const [container] = containers;
      t.match(
        container?.volumeMounts.filter(({ name }) => name === 'cache'),
        [{ mountPath: '/cache' }],
      );
      const told = container?.args.filter(each => each.startsWith('--cache-'));
      const sized = isSized ? ['--cache-empty-dir-size=2254MiB'] : [];
      t.strictSame(told, ['--cache-dir=/cache', '--cache-limit=2GiB', ...sized]);
      // By it the nodes that share a claim have a directory each.
      t.match(container, { env: [{ name: 'NODE_NAME' }] });
    },
  );
}

t.test('an ephemeral cache is a claim that each pod has for itself', { skip }, async t => {
  const claimOf = (...words: string[]) => {
    const { volumes } = daemonSet('--set=cache.type=ephemeral', ...words).spec.template.spec;
    const found: object | undefined = volumes.find(({ name }) => name === 'cache');
    return found;
  };
  const spec = { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '22540Mi' } } };
  t.strictSame(claimOf(), { name: 'cache', ephemeral: { volumeClaimTemplate: { spec } } });
  t.match(claimOf('--set=cache.storageClass=fast'), {
    ephemeral: { volumeClaimTemplate: { spec: { storageClassName: 'fast' } } },
  });
});

t.test('settings for other clusters', { skip }, async t => {
  const spec = daemonSet(
    '--set=cache.type=none,nodeAgent.trustedAttributes=true,credentials.useSecret=false',
    '--set=nodeAgent.podVolumePath=/var/lib/rancher/pods,nodeAgent.podLabels.team=a',
    '--set=nodeAgent.containerSecurityContext.privileged=true',
  ).spec.template.spec;
  const [container] = spec.containers;
  t.strictSame(
    container?.volumeMounts.map(({ name }) => name),
    ['host-pods', 'host-plugins', 'tmp'],
  );
  t.notMatch(container?.args.join(' '), 'cache');
  const { securityContext } = container ?? {};
  // The API server refuses the one without the other.
  t.match(securityContext, { privileged: true, allowPrivilegeEscalation: true });
  t.match(JSON.stringify(securityContext), 'SYS_ADMIN');
  t.match(spec.volumes[0], { hostPath: { path: '/var/lib/rancher/pods' } });
});

t.test('what a user sets counts, also where it is false, empty or a list', { skip }, async t => {
  const context = 'nodeAgent.containerSecurityContext';
  const { spec } = daemonSet(
    `--set=${context}.readOnlyRootFilesystem=false,${context}.runAsNonRoot=false`,
    `--set=${context}.capabilities.add={SYS_PTRACE}`,
    '--set=nodeAgent.podSecurityContext.seccompProfile.localhostProfile=agent.json',
    '--set=nodeAgent.podSecurityContext.seccompProfile.type=Localhost',
    '--set=nodeAgent.podSecurityContext.fsGroup=0',
  );
  const pod = spec.template.spec;
  t.strictSame(pod.containers[0]?.securityContext, {
    readOnlyRootFilesystem: false,
    runAsNonRoot: false,
    allowPrivilegeEscalation: false,
    capabilities: { add: ['SYS_PTRACE'] },
  });
  t.strictSame(pod.securityContext, {
    runAsUser: 0,
    fsGroup: 0,
    seccompProfile: { type: 'Localhost', localhostProfile: 'agent.json' },
  });
});

t.test(
  'a label or annotation of a user counts, but for those that are selected by',
  { skip },
  async t => {
    const { metadata, spec } = daemonSet(
      '--set=nodeAgent.labels.component=mine,nodeAgent.annotations.team=a',
      '--set=nodeAgent.podLabels.name=mine,nodeAgent.podLabels.role=mine',
      '--set=nodeAgent.podLabels.component=mine',
      '--set=nodeAgent.podLabels.app\\.kubernetes\\.io/name=mine',
      '--set-string=nodeAgent.podAnnotations.prometheus\\.io/port=9',
      '--set=nodeAgent.nodeSelector.kubernetes\\.io/os=mine',
    );
    t.match(metadata, { labels: { component: 'mine' }, annotations: { team: 'a' } });
    t.match(spec.template.metadata, {
      labels: {
        name: 'node-agent',
        role: 'node-agent',
        component: 'mine',
        // By it an agent that is stopped knows whether another one of ours follows.
        'app.kubernetes.io/name': 'stevedore',
      },
      annotations: { 'prometheus.io/port': '9', 'prometheus.io/scrape': 'true' },
    });
    t.match(spec.template.spec, { nodeSelector: { 'kubernetes.io/os': 'mine' } });
  },
);

t.test('values that cannot work are refused', { skip }, async t => {
  const wrong = [
    'image.repository=',
    'cache.type=disk',
    'cache.limit=10%',
    'cache.kubeletConfig=config.yaml',
    'cache.kubeletConfig=none',
    'nodeagent.resources=',
    'nodeAgent.podVolumePath=pods',
    'configuration.logLevel=loud',
    'controller.tls.type=none',
    'controller.configuration.clusterSlot=4',
    'controller.configuration.clusterSlots=many',
    'controller.configuration.locationSlots.offsite=many',
    'controller.replicas=0',
    'cache.hostPath=cache',
    'nodeAgent.seLinux.typ=spc_t',
    'nodeAgent.networkPolicy.egress.storeCidrs={everywhere}',
    'priorityClass.value=2000000000',
  ];
  for (const setting of wrong) {
    t.throws(() => render(`--set=${setting}`), { message: /schema/ }, setting);
  }
});
