import t from 'tap';
import { type AskingPod, watchedPod } from '#controller/pre-copy/asking-pod.ts';
import { decidePreCopies } from '#controller/pre-copy/decide-pre-copies.ts';
import { ScheduleTime } from '#controller/pre-copy/schedule-time.ts';
import { watchedSchedule, type WatchedSchedule } from '#controller/pre-copy/watched-schedule.ts';

const at = (time: string) => Date.parse(`2026-03-02T${time}Z`);
const NOW_MS = at('01:45:00');

function schedule(template: object = {}, spec: object = {}, status: object = {}): WatchedSchedule {
  return watchedSchedule({
    metadata: { name: 'nightly', creationTimestamp: '2026-01-01T00:00:00Z' },
    ...{ spec: { schedule: '0 2 * * *', template, ...spec }, status },
  });
}

interface PodWords {
  readonly annotations?: Record<string, string>;
  readonly labels?: Record<string, string>;
  readonly namespace?: string;
  readonly phase?: string;
}

function pod({ annotations, labels, namespace = 'shop', phase = 'Running' }: PodWords = {}) {
  const sources = {
    data: { persistentVolumeClaim: { claimName: 'files' } },
    log: { emptyDir: {} },
    config: { configMap: {} },
    unmounted: { emptyDir: {} },
  };
  const volumes = Object.entries(sources).map(([name, source]) => ({ name, ...source }));
  const { asking } = watchedPod({
    metadata: {
      ...{ name: 'db-0', namespace, uid: 'uid', labels },
      annotations: {
        'stevedore.io/pre-copy': '30m',
        'backup.velero.io/backup-volumes': 'data, log, config, unmounted, none',
        ...annotations,
      },
    },
    spec: {
      nodeName: 'n1',
      volumes,
      containers: [{ volumeMounts: volumes.filter(({ name }) => name !== 'unmounted') }],
    },
    status: { phase },
  } as Parameters<typeof watchedPod>[0]);
  return asking;
}

function decide(
  schedules: readonly WatchedSchedule[],
  pods: readonly (AskingPod | undefined)[] = [pod()],
  { nowMs = NOW_MS, defaultLocation = 'default' } = {},
) {
  const asking = pods.filter(each => each !== undefined);
  return decidePreCopies({ schedules, pods: asking, defaultLocation, nowMs });
}

function namesOf(...args: Parameters<typeof decide>): string[] {
  return (decide(...args).get('n1') ?? []).map(({ volumeName }) => volumeName);
}

const BOTH = ['data', 'log'];
const OPT_OUT = { defaultVolumesToFsBackup: true };

t.test('a volume that the backup would have is wanted from its lead time on', async t => {
  const wanted = {
    ...{ namespace: 'shop', pod: 'db-0', podUid: 'uid' },
    ...{ location: 'default', dueMs: at('02:00:00') },
  };
  t.strictSame(decide([schedule()]).get('n1'), [
    { ...wanted, volumeName: 'data', claim: 'files' },
    { ...wanted, volumeName: 'log', claim: '' },
  ]);
  const times: readonly (readonly [string, readonly string[]])[] = [
    ['01:29:59', []],
    ['01:30:00', BOTH],
    ['01:59:59', BOTH],
    ['02:00:00', []],
    ['02:00:01', []],
  ];
  for (const [time, names] of times) {
    t.strictSame(namesOf([schedule()], [pod()], { nowMs: at(time) }), names, time);
  }
});

const COVERED: Readonly<Record<string, readonly [template: object, pod?: PodWords]>> = {
  'no list': [{}],
  'its namespace': [{ includedNamespaces: ['web', 'shop'] }],
  'all namespaces': [{ includedNamespaces: ['*'] }],
  'a pattern': [{ includedNamespaces: ['sh*'] }],
  'another one left out': [{ excludedNamespaces: ['web'] }],
  'its labels': [{ labelSelector: { matchLabels: { app: 'db' } } }, { labels: { app: 'db' } }],
  'one of two selectors': [
    { orLabelSelectors: [{ matchLabels: { a: 'b' } }, { matchLabels: { app: 'db' } }] },
    { labels: { app: 'db' } },
  ],
  'pods among resources': [{ includedResources: ['pods', 'persistentvolumeclaims'] }],
};

const NOT_COVERED: Readonly<Record<string, readonly [template: object, pod?: PodWords]>> = {
  'other namespaces': [{ includedNamespaces: ['web'] }],
  'its namespace left out': [{ includedNamespaces: ['*'], excludedNamespaces: ['shop'] }],
  'other labels': [{ labelSelector: { matchLabels: { app: 'db' } } }],
  'an expression': [
    { labelSelector: { matchExpressions: [{ key: 'app', operator: 'Exists' }] } },
    { labels: { other: 'db' } },
  ],
  'no pods among resources': [{ includedResources: ['deployments.apps'] }],
  'pods left out': [{ excludedResources: ['pods'] }],
  'pods left out of the scoped ones': [{ excludedNamespaceScopedResources: ['pods'] }],
  'left out by its label': [{}, { labels: { 'velero.io/exclude-from-backup': 'true' } }],
  'a pod that does not run': [{}, { phase: 'Pending' }],
  'a pod that has ended': [{}, { phase: 'Succeeded' }],
};

t.test('a schedule covers what its backups would', async t => {
  for (const [name, [template, words]] of Object.entries(COVERED)) {
    t.strictSame(namesOf([schedule(template)], [pod(words)]), BOTH, name);
  }
  for (const [name, [template, words]] of Object.entries(NOT_COVERED)) {
    t.strictSame(namesOf([schedule(template)], [pod(words)]), [], name);
  }
});

t.test('volumes are those that Velero would move: named, or all but those left out', async t => {
  const excludes = { 'backup.velero.io/backup-volumes-excludes': 'log' };
  t.strictSame(namesOf([schedule()], [pod({ annotations: excludes })]), BOTH, 'of no account');
  t.strictSame(namesOf([schedule(OPT_OUT)], [pod({ annotations: excludes })]), ['data']);
  const none = { 'backup.velero.io/backup-volumes': '' };
  t.strictSame(namesOf([schedule()], [pod({ annotations: none })]), []);
  t.strictSame(namesOf([schedule(OPT_OUT)], [pod({ annotations: none })]), BOTH);
  t.strictSame(namesOf([schedule({ defaultVolumesToRestic: true })], [pod()]), BOTH);
});

t.test('each location is served, by the backup that is due first', async t => {
  const later = schedule({}, { schedule: '10 2 * * *' });
  const elsewhere = schedule({ storageLocation: 'far' }, { schedule: '5 2 * * *' });
  const found = decide([later, elsewhere, schedule()]).get('n1') ?? [];
  t.strictSame(
    found.map(({ volumeName, location, dueMs }) => [volumeName, location, dueMs]),
    [
      ['data', 'default', at('02:00:00')],
      ['log', 'default', at('02:00:00')],
      ['data', 'far', at('02:05:00')],
      ['log', 'far', at('02:05:00')],
    ],
  );
  const nowhere = { schedules: [schedule()], pods: [pod()].flatMap(each => each ?? []) };
  const facts = { ...nowhere, defaultLocation: undefined, nowMs: NOW_MS };
  t.strictSame(decidePreCopies(facts), new Map(), 'without any location there is nothing');
});

t.test('what makes no backups makes no copies', async t => {
  const paused = schedule({}, { paused: true });
  const refused = schedule({}, {}, { phase: 'FailedValidation' });
  const broken = schedule({}, { schedule: 'every night' });
  const unknown = schedule({ labelSelector: { matchExpressions: [{ key: 'a', operator: '=' }] } });
  for (const each of [paused, refused, broken, unknown]) t.strictSame(namesOf([each]), []);
  t.strictSame([paused.fault, refused.fault], [undefined, undefined]);
  t.match(broken.fault, /is no time/);
  t.match(unknown.fault, /operator/);
});

t.test('an annotation that is no time is said, and so is one that is too short', async t => {
  for (const text of ['', 'yes', '30', '-5m', '30s', '25h']) {
    const asking = pod({ annotations: { 'stevedore.io/pre-copy': text } });
    t.match(asking, { leadMs: undefined, fault: /stevedore.io\/pre-copy/ }, text);
    t.strictSame(namesOf([schedule()], [asking]), []);
  }
  const { asking } = watchedPod({ metadata: { name: 'a', namespace: 'b' } });
  t.equal(asking, undefined, 'of those that do not ask nothing is kept');
});

t.test('a long text that is no time costs no time, and is not kept', async t => {
  const digits = '1'.repeat(200_000);
  const texts = [digits, `${digits}s`, '1h'.repeat(100_000), `1.${digits}`];
  const startMs = performance.now();
  for (const text of texts) {
    const asking = pod({ annotations: { 'stevedore.io/pre-copy': text } });
    t.equal(asking?.leadMs, undefined);
    t.match(asking?.fault, /^the annotation stevedore.io\/pre-copy is '1.{39}…'; give a duration/);
    const broken = schedule({}, { schedule: `@every ${text}` });
    t.match(broken.fault, /^the time of a Schedule has \d+ characters; give 256 or less$/);
  }
  schedule({}, { schedule: `TZ=a${' '.repeat(100_000)}a\na` });
  t.ok(performance.now() - startMs < 2000, 'without looking at each part of it again and again');
});

t.test('a time is what robfig/cron takes it for', async t => {
  const last = at('00:10:30');
  const rows: readonly (readonly [text: string, due: string | undefined])[] = [
    ['0 2 * * *', '2026-03-02T02:00:00Z'],
    ['*/20 * * * *', '2026-03-02T02:00:00Z'],
    ['CRON_TZ=America/New_York 0 2 * * *', '2026-03-02T07:00:00Z'],
    ['TZ=Asia/Tokyo 0 11 * * MON', '2026-03-02T02:00:00Z'],
    ['CRON_TZ=Local 0 2 * * *', '2026-03-02T02:00:00Z'],
    ['0 3 1 * MON', '2026-03-02T03:00:00Z'],
    ['30 1 ? * ?', '2026-03-03T01:30:00Z'],
    ['@hourly', '2026-03-02T02:00:00Z'],
    ['@daily', '2026-03-03T00:00:00Z'],
    ['@midnight', '2026-03-03T00:00:00Z'],
    ['@weekly', '2026-03-08T00:00:00Z'],
    ['@monthly', '2026-04-01T00:00:00Z'],
    ['@yearly', '2027-01-01T00:00:00Z'],
    ['@every 2h', '2026-03-02T02:10:30Z'],
    ['@every 1h30m', undefined],
  ];
  for (const [text, due] of rows) {
    const dueMs = new ScheduleTime(text).after(NOW_MS, last);
    t.equal(dueMs, due === undefined ? undefined : Date.parse(due), text);
  }
  for (const text of ['', '* * * *', '@never', '@every soon', 'CRON_TZ=Mars/Here 0 2 * * *']) {
    t.throws(() => new ScheduleTime(text), { code: 'USAGE' }, text);
  }
  const every = schedule({}, { schedule: '@every 4h' }, { lastBackup: '2026-03-01T22:00:00Z' });
  t.strictSame(namesOf([every]), BOTH, 'from the last backup');
});
