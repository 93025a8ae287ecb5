// What a cluster can have wrong, each with the message that a user reads of it: `status.message` of
// the move, or where no move can work the log and the readiness probe.

import { join } from 'node:path';
import t, { type Test } from 'tap';
import { POD_VOLUME_BACKUPS } from '#agent/moves/objects/pod-volume-backup.ts';
import {
  REPOSITORIES,
  STORAGE_LOCATIONS,
  type StorageLocation,
} from '#agent/repositories/repository-objects.ts';
import { CUSTOM_RESOURCE_DEFINITIONS } from '#agent/moves/objects/custom-resource-definition.ts';
import { NODES, SECRETS } from '#kube/core-resources.ts';
import * as velero from '#test/demo/velero-objects.ts';
import { ABSENT, answerError, startFakeS3 } from '#test/engine/storage/fake-s3.ts';
import type { KubeEmulator } from '#test/kube-emulator/kube-emulator.ts';
import { type AgentScene, BACKUP, ended, startAgent } from '#test/support/agent-scene.ts';

const DEFAULT = { namespace: 'velero', name: 'default' };
const PASSWORD_SECRET = { namespace: 'velero', name: 'velero-repo-credentials' };
const CLOUD = { name: 'cloud', key: 'cloud' };
const PROVIDERS =
  'there are aws (S3, and with config.s3Url whatever speaks its language) and fs: ' +
  "use a location of one of these, or Velero's own node agent for this one";

type Spec = NonNullable<StorageLocation['spec']>;

function relocate(api: KubeEmulator, spec: Spec): void {
  api.change(STORAGE_LOCATIONS, DEFAULT, location => {
    const { objectStorage } = location.spec as Spec;
    location.spec = { objectStorage, ...spec };
  });
}

function putSecret(api: KubeEmulator, { name }: { name: string }, data: Record<string, string>) {
  const encoded = Object.entries(data).map(([key, text]) => [key, btoa(text)]);
  const metadata = { name, namespace: 'velero' };
  api.put({ kind: 'Secret', metadata, data: Object.fromEntries(encoded) });
}

interface BadInput {
  readonly title: string;
  /** What it is like, or a part of it. */
  readonly message: RegExp | string;
  readonly prepare?: (api: KubeEmulator, t: Test) => void | Promise<void>;
  readonly pod?: (scene: AgentScene) => velero.PodIdentity;
  readonly spec?: Readonly<Record<string, unknown>>;
  readonly hasRepository?: boolean;
}

const cloudText = '[default]\naws_access_key_id = AKSECRET\naws_secret_access_key = secret\n';

/** A bucket at a server that answers so. */
async function bucketOf(api: KubeEmulator, t: Test, handler = ABSENT): Promise<void> {
  const fake = await startFakeS3(t);
  fake.play(handler);
  const config = { s3Url: fake.endpoint, region: 'minio' };
  relocate(api, { provider: 'aws', config, credential: CLOUD });
}

const TABLE: readonly BadInput[] = [
  {
    title: 'a storage location that is not there',
    spec: { backupStorageLocation: 'elsewhere' },
    message:
      'cannot find backup storage location elsewhere in namespace velero; ' +
      'see `velero backup-location get` (STORAGE_LOCATION_NOT_FOUND)',
  },
  ...['azure', 'velero.io/azure', 'gcp', 'velero.io/gcp'].map(provider => ({
    title: `a storage location of the provider ${provider}`,
    prepare: (api: KubeEmulator) => relocate(api, { provider }),
    message:
      'cannot use backup storage location default: provider ' +
      `${provider.replace('velero.io/', '')} is not supported yet; ${PROVIDERS} ` +
      '(STORAGE_LOCATION_INVALID)',
  })),
  {
    title: 'a storage location of a provider that nobody knows',
    prepare: api => relocate(api, { provider: 'example.com/tape' }),
    message: 'provider example.com/tape is not known and there is no config.s3Url; ' + PROVIDERS,
  },
  {
    title: 'the Secret of a storage location that is missing',
    prepare: (api, t) => bucketOf(api, t),
    message:
      'cannot read the keys of the storage location from Secret velero/cloud: ' +
      'it is not there; create it (SECRET_NOT_FOUND)',
  },
  {
    title: 'the Secret of a storage location without the key',
    prepare: async (api, t) => {
      await bucketOf(api, t);
      putSecret(api, CLOUD, { other: cloudText });
    },
    message: /Secret velero\/cloud: its key "cloud" is not there \(keys: other\); add it/,
  },
  {
    title: 'the Secret of a storage location without keys in it',
    prepare: async (api, t) => {
      await bucketOf(api, t);
      putSecret(api, CLOUD, { cloud: '[other]\naws_access_key_id = a\n' });
    },
    message: /^cannot find keys in key cloud of Secret velero\/cloud: profile \[default\] is not/,
  },
  {
    title: 'a bucket that is missing',
    prepare: async (api, t) => {
      const handler: typeof ABSENT = (_request, response) =>
        answerError(response, 404, 'NoSuchBucket', 'The specified bucket does not exist');
      await bucketOf(api, t, handler);
      putSecret(api, CLOUD, { cloud: cloudText });
    },
    message: /s3:\/\/demo\/kopia\/shop\/.*NoSuchBucket.*\(STORAGE_NOT_FOUND\)$/,
  },
  {
    title: 'the password of the repositories that is missing',
    prepare: api => api.remove(SECRETS, PASSWORD_SECRET),
    message:
      'cannot read the password of the repositories from Secret ' +
      'velero/velero-repo-credentials: it is not there; create it (SECRET_NOT_FOUND)',
  },
  {
    title: 'the password of the repositories under another key',
    prepare: api => putSecret(api, PASSWORD_SECRET, { password: 'x' }),
    message: /its key "repository-password" is not there \(keys: password\); add it/,
  },
  {
    title: 'a wrong password',
    hasRepository: true,
    prepare: api => putSecret(api, PASSWORD_SECRET, { 'repository-password': 'a guess' }),
    message: /password.*\(REPOSITORY_PASSWORD_WRONG\)$/,
  },
  {
    title: 'a repository that the server could not prepare',
    prepare: api =>
      void api.change(REPOSITORIES, { namespace: 'velero', name: 'shop-default-kopia' }, one => {
        one.status = { phase: 'NotReady', message: 'the bucket is full' };
      }),
    message:
      'cannot use the repository of namespace shop in storage location default: the server ' +
      'says: the bucket is full; look at `velero repo get` (REPOSITORY_NOT_READY)',
  },
  {
    title: 'a repository that the server has not prepared in time',
    prepare: api =>
      void api.change(REPOSITORIES, { namespace: 'velero', name: 'shop-default-kopia' }, one => {
        one.status = { phase: 'New' };
      }),
    message: /its phase is New after 0 s; look at `velero repo get` \(REPOSITORY_NOT_READY\)$/,
  },
  {
    title: 'a pod that is gone',
    pod: () => ({ name: 'gone', uid: 'of-gone' }),
    message: /shop\/gone.*not there.*\(POD_NOT_FOUND\)$/,
  },
  {
    title: 'a pod that another one of its name has taken the place of',
    pod: ({ runPod }) => ({ ...runPod('web'), uid: 'of-the-one-before' }),
    message: /shop\/web.*replaced.*\(POD_NOT_FOUND\)$/,
  },
  {
    title: 'a volume that the pod does not have',
    spec: { volume: 'other' },
    message: /^pod shop\/web has no volume "other"; its volumes are: data/,
  },
  {
    title: 'a volume that is not on the node',
    pod: ({ api }) => ({ name: 'web', uid: api.add(velero.pod('web')).metadata.uid ?? '' }),
    message:
      /^cannot find volume data of pod shop\/web: .* is not there; is the pod on .*_NOT_FOUND\)$/,
  },
];

for (const { title, message, prepare, pod, spec, hasRepository } of TABLE) {
  t.test(`${title} is said in status.message`, async t => {
    const scene = await startAgent(t, { flags: ['--resource-timeout=1ms'] });
    const { api, says, runPod, makeRepository } = scene;
    if (hasRepository) await makeRepository();
    await prepare?.(api, t);
    await says('ready');
    const identity = pod?.(scene) ?? runPod('web', 'text');
    const move = velero.podVolumeBackup('daily-1', BACKUP, identity);
    api.add({ ...move, spec: { ...(move.spec as object), ...spec } });
    const status = await ended(api, POD_VOLUME_BACKUPS, 'daily-1');
    t.equal(status?.phase, 'Failed');
    t.match(status?.message, message);
    t.ok(status?.completionTimestamp);
  });
}

interface BadCluster {
  readonly title: string;
  readonly prepare: (api: KubeEmulator) => void;
  readonly flags?: (directory: string) => readonly string[];
  readonly check: string;
  readonly missing: RegExp;
}

function withoutCrds(api: KubeEmulator, names: readonly string[]): void {
  for (const name of names) api.remove(CUSTOM_RESOURCE_DEFINITIONS, { name: `${name}.velero.io` });
}

const CLUSTERS: readonly BadCluster[] = [
  {
    title: 'a node name that no node has',
    prepare: api => api.remove(NODES, { name: velero.NODE }),
    check: 'node',
    missing: /^the cluster has no node worker-1; set NODE_NAME from the field spec.nodeName/,
  },
  {
    title: 'a CRD that is missing',
    prepare: api => withoutCrds(api, ['podvolumerestores']),
    check: 'velero',
    missing: /^velero.io\/v1 has no podvolumerestores; install the CRDs of Velero 1.16 or newer$/,
  },
  {
    title: 'a CRD of another version',
    prepare: api =>
      void api.change(
        CUSTOM_RESOURCE_DEFINITIONS,
        { name: 'podvolumebackups.velero.io' },
        ({ spec }) => {
          const { versions } = spec as { versions: { name: string }[] };
          for (const version of versions) version.name = 'v2';
        },
      ),
    check: 'velero',
    missing: /^velero.io\/v1 has no podvolumebackups; install the CRDs of Velero 1.16 or newer$/,
  },
  {
    title: 'a directory of pods that is not mounted',
    prepare: () => undefined,
    flags: directory => ['--host-pods', join(directory, 'none')],
    check: 'host-pods',
    missing: /^there is no .*none; mount the kubelet's pods directory there, or set --host-pods$/,
  },
];

for (const { title, prepare, flags, check, missing } of CLUSTERS) {
  t.test(`${title} is said in the log and in the readiness probe`, async t => {
    const { says } = await startAgent(t, { prepare, flags: flags?.(t.testdirName) });
    const { port } = await says('metrics are served');
    t.match(await says('the agent cannot work yet'), { level: 'error', check, missing });
    const probe = await fetch(`http://127.0.0.1:${String(port)}/readyz`);
    t.equal(probe.status, 503);
    const line = (await probe.text()).split('\n').find(each => each.startsWith(`[-] ${check}: `));
    t.match(line?.slice(`[-] ${check}: `.length), missing);
  });
}
