// What the node-agent ConfigMap says of claims and pods that expose a volume, and what is made of
// it for a storage class.

import t from 'tap';
import { exposureSettings } from '#agent/moves/exposure-settings.ts';
import { parseNodeAgentConfig } from '#agent/moves/node-agent-config.ts';

const IMAGE = 'registry.example.org/pause:1';

function parse(json: object) {
  const { config, notices, problems } = parseNodeAgentConfig({ config: JSON.stringify(json) });
  return { config, notices, problems, settings: exposureSettings(config.exposure, IMAGE) };
}

const onlyOn = (key: string, operator: string, ...values: string[]) => ({
  nodeSelectorTerms: [{ matchExpressions: [{ key, operator, values }] }],
});

t.test('without a setting a claim is like its source, and its holder asks for nothing', async t => {
  const { settings, config } = parse({});
  t.match(settings.claimOf('fast'), { storageClass: 'fast', isReadOnly: false });
  t.same(
    Object.entries(settings.holderOf('fast')).filter(([, value]) => value !== undefined),
    Object.entries({ image: IMAGE, hasSuperPrivilegedType: false }),
  );
  t.equal(settings.ignoresDelayedBinding, false);
  t.equal(config.prepareQueueLength, undefined);
});

t.test('a rule for the storage class goes before the one for all', async t => {
  const { settings, problems } = parse({
    loadAffinity: [
      { nodeSelector: { matchLabels: { role: 'backup' } } },
      {
        nodeSelector: { matchExpressions: [{ key: 'disk', operator: 'NotIn', values: ['slow'] }] },
        storageClass: 'fast',
      },
    ],
  });
  t.same(settings.holderOf('fast').nodes, onlyOn('disk', 'NotIn', 'slow'));
  t.same(settings.holderOf('other').nodes, onlyOn('role', 'In', 'backup'));
  t.same(problems, []);
});

t.test('a rule that asks nothing of a node allows each of them', async t => {
  const { settings } = parse({ loadAffinity: [{ nodeSelector: {} }] });
  t.equal(settings.holderOf('fast').nodes, undefined);
});

t.test('a holder goes by the rule for the class of its own volume', async t => {
  const { settings } = parse({
    loadAffinity: [
      { nodeSelector: { matchLabels: { role: 'source' } }, storageClass: 'fast' },
      { nodeSelector: { matchLabels: { role: 'backup' } }, storageClass: 'shallow' },
    ],
    backupPVC: { fast: { storageClass: 'shallow', readOnly: true, spcNoRelabeling: true } },
  });
  t.same(settings.holderOf('fast').nodes, onlyOn('role', 'In', 'backup'));
  t.equal(settings.holderOf('fast').hasSuperPrivilegedType, true);
  const restored = settings.restoreHolderOf('fast');
  t.same(restored.nodes, onlyOn('role', 'In', 'source'), 'a restore has the class itself');
  t.equal(restored.hasSuperPrivilegedType, undefined, 'and is no claim of a backup');
});

t.test(
  'a claim has the class, the access and the annotations that are said of its source',
  async t => {
    const { settings } = parse({
      backupPVC: {
        fast: { storageClass: 'shallow', readOnly: true, annotations: { speed: 'high' } },
        kept: { storageClass: '', spcNoRelabeling: true },
        shared: { readOnly: true, spcNoRelabeling: true },
      },
    });
    t.same(settings.claimOf('fast'), {
      storageClass: 'shallow',
      isReadOnly: true,
      annotations: { speed: 'high' },
    });
    t.match(settings.claimOf('kept'), { storageClass: 'kept', isReadOnly: false });
    t.equal(settings.holderOf('fast').hasSuperPrivilegedType, false);
    t.equal(settings.holderOf('kept').hasSuperPrivilegedType, false, 'it is written');
    t.equal(settings.holderOf('shared').hasSuperPrivilegedType, true);
  },
);

t.test('a holder has the resources, the class and the names that are said of pods', async t => {
  const { settings, notices } = parse({
    podResources: { cpuRequest: '100m', memoryRequest: '0', memoryLimit: '64Mi', cpuLimit: '' },
    PriorityClassName: 'backup-critical',
    podLabels: { team: 'storage' },
    podAnnotations: { 'example.org/policy': 'inject' },
  });
  t.match(settings.holderOf('any'), {
    resources: { requests: { cpu: '100m' }, limits: { memory: '64Mi' } },
    priorityClassName: 'backup-critical',
    labels: { team: 'storage' },
    annotations: { 'example.org/policy': 'inject' },
  });
  t.same(Object.keys(settings.holderOf('any').resources ?? {}), ['requests', 'limits']);
  t.same(notices, []);
});

t.test('a queue has a length, and a claim need not wait for a pod', async t => {
  const { config, settings } = parse({
    loadConcurrency: { globalConfig: 3, prepareQueueLength: 10 },
    restorePVC: { ignoreDelayBinding: true },
  });
  t.match(config, { globalConcurrency: 3, prepareQueueLength: 10 });
  t.equal(settings.ignoresDelayedBinding, true);
});

t.test('what has another shape is a problem that names its place', async t => {
  const { problems } = parse({
    loadAffinity: { nodeSelector: {} },
    backupPVC: { fast: 'shallow', other: { storageClass: 7 } },
    podLabels: { team: ['storage'] },
    priorityClassName: {},
  });
  t.same(problems, [
    'loadAffinity is not a list',
    'backupPVC.fast is not an object',
    'backupPVC.other.storageClass is not a text',
    'podLabels.team is not a text',
    'priorityClassName is not a text',
  ]);
});
