// What a Velero server has made before it asks for a move: a storage location in a directory, the
// Secret with the password, and for one namespace a repository that is ready.

import { cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { type Cache, createRepository, type EngineError, openStorageAt } from '#engine/index.ts';
import { type Clock, systemClock } from '#engine/base/clock.ts';
import { SECRETS } from '#kube/core-resources.ts';
import {
  REPOSITORIES,
  STORAGE_LOCATIONS,
  type StorageLocation,
} from '#agent/repositories/repository-objects.ts';
import {
  type RepositorySettings,
  SharedRepositories,
} from '#agent/repositories/shared-repositories.ts';
import { KubeObjects } from './kube-objects.ts';

export const VELERO = 'velero';
export const PASSWORD = 'static-passw0rd';
export const NAME = Object.freeze({ volumeNamespace: 'shop', backupStorageLocation: 'default' });

export interface VeleroSceneOptions extends Partial<RepositorySettings> {
  readonly clock?: Clock;
  /** Names of repositories that the cache was told to forget. */
  readonly forgotten?: string[];
  readonly cache?: Cache;
}

/** For repositories that are never opened. */
function cacheThat(forgotten: string[]): Cache {
  const forgetRepository = async (name: string) => void forgotten.push(name);
  // Nothing else is asked of it; a TypeError would show it.
  return { forgetRepository } as unknown as Cache;
}

let made: Promise<string> | undefined;

/** Deriving a key takes a while, so one repository is made and copied. */
function template(): Promise<string> {
  made ??= (async () => {
    const directory = mkdtempSync(`${tmpdir()}/stevedore-velero-`);
    process.on('exit', () => rmSync(directory, { recursive: true, force: true }));
    const storage = await openStorageAt({ scheme: 'file', directory });
    const owner = { user: 'default', host: 'default' };
    await createRepository({ storage, password: PASSWORD, owner, forVelero: true });
    await storage.close();
    return directory;
  })();
  return made;
}

export class VeleroScene implements AsyncDisposable {
  readonly kube = new KubeObjects();
  readonly warnings: EngineError[] = [];
  /** Of the storage location. */
  readonly root: string;
  readonly repositories: SharedRepositories;

  private constructor(root: string, options: VeleroSceneOptions) {
    const { clock = systemClock, forgotten, ...others } = options;
    const { cache = forgotten && cacheThat(forgotten), ...settings } = others;
    this.root = root;
    const shares = { repositoriesMax: 2, threads: 1, memoryBytes: 256 * 2 ** 20 };
    const onWarning = (warning: EngineError) => void this.warnings.push(warning);
    this.repositories = new SharedRepositories(
      { kube: this.kube, clock, onWarning, cache },
      { namespace: VELERO, readyTimeoutMs: 60_000, shares, ...settings },
    );
  }

  /** In an empty directory. */
  static async make(root: string, options: VeleroSceneOptions = {}): Promise<VeleroScene> {
    const scene = new VeleroScene(root, options);
    scene.putLocation({ config: { fspath: root } });
    scene.putSecret('velero-repo-credentials', { 'repository-password': `${PASSWORD}\n` });
    await scene.makeRepository(NAME.volumeNamespace);
    return scene;
  }

  get directory(): string {
    return `${this.root}/cluster-a/kopia/${NAME.volumeNamespace}`;
  }

  putLocation(
    spec: NonNullable<StorageLocation['spec']>,
    status: StorageLocation['status'] = { phase: 'Available' },
    uid = 'uid-of-location',
  ): void {
    const objectStorage = { bucket: 'unused', prefix: 'cluster-a' };
    const location: StorageLocation = {
      metadata: { name: 'default', namespace: VELERO, uid },
      spec: { provider: 'fs', objectStorage, ...spec },
      status,
    };
    this.kube.put(STORAGE_LOCATIONS, location);
  }

  putSecret(name: string, values: Record<string, string>): void {
    const data = Object.fromEntries(
      Object.entries(values).map(([key, value]) => [key, Buffer.from(value).toString('base64')]),
    );
    const secret = { metadata: { name, namespace: VELERO }, data };
    this.kube.put(SECRETS, secret);
  }

  putRepository(
    namespace: string,
    status: object,
    names: { readonly name?: string; readonly uid?: string } = {},
  ): void {
    const { name = `${namespace}-default-kopia`, uid = `uid-of-${name}` } = names;
    const labels = {
      'velero.io/volume-namespace': namespace,
      'velero.io/storage-location': 'default',
      'velero.io/repository-type': 'kopia',
    };
    const object = { metadata: { name, uid, namespace: VELERO, labels }, status };
    this.kube.put(REPOSITORIES, object);
  }

  async makeRepository(namespace: string): Promise<void> {
    const directory = `${this.root}/cluster-a/kopia/${namespace}`;
    mkdirSync(`${this.root}/cluster-a/kopia`, { recursive: true });
    cpSync(await template(), directory, { recursive: true });
    this.putRepository(namespace, { phase: 'Ready' });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.repositories[Symbol.asyncDispose]();
  }
}
