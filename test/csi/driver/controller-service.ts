// The controller service of the Container Storage Interface: volumes and snapshots come and go.
// What the sidecars use of it; field names as in csi.proto 1.13, in camel case.

import type { LoopDevices } from './loop-devices.ts';
import { TOPOLOGY } from './node-service.ts';
import { RpcError, type Service } from './rpc-server.ts';
import type { StoredSnapshot, VolumeMode, VolumeStore } from './volume-store.ts';

/** What the external provisioner asks for where a claim says nothing. */
const DEFAULT_BYTES = 1 << 20;
const RPCS = ['CREATE_DELETE_VOLUME', 'CREATE_DELETE_SNAPSHOT', 'LIST_SNAPSHOTS'] as const;

interface VolumeCapability {
  readonly accessType?: 'block' | 'mount';
  readonly accessMode?: { readonly mode: string } | null;
}

interface CreateVolumeRequest {
  readonly name: string;
  readonly capacityRange: { readonly requiredBytes: number } | null;
  readonly volumeCapabilities: readonly VolumeCapability[];
  /** Of the storage class. */
  readonly parameters: Readonly<Record<string, string>>;
  readonly volumeContentSource: { readonly snapshot?: { readonly snapshotId: string } } | null;
}

export function modeOf(capability: VolumeCapability | null | undefined): VolumeMode {
  return capability?.accessType === 'block' ? 'Block' : 'Filesystem';
}

export function controllerService(store: VolumeStore, devices: LoopDevices): Service {
  return {
    file: 'csi.proto',
    name: 'csi.v1.Controller',
    methods: {
      controllerGetCapabilities: () => ({
        capabilities: RPCS.map(type => ({ rpc: { type } })),
      }),
      createVolume: (request: CreateVolumeRequest) => createVolume(store, request),
      deleteVolume: async ({ volumeId }: { readonly volumeId: string }) => {
        await store.deleteVolume(volumeId);
        return {};
      },
      createSnapshot: (request: CreateSnapshotRequest) => createSnapshot(store, devices, request),
      deleteSnapshot: async ({ snapshotId }: { readonly snapshotId: string }) => {
        await store.deleteSnapshot(snapshotId);
        return {};
      },
      listSnapshots: (request: ListSnapshotsRequest) => listSnapshots(store, request),
    },
  };
}

async function createVolume(store: VolumeStore, request: CreateVolumeRequest) {
  const { name, capacityRange, volumeCapabilities, volumeContentSource } = request;
  const modes = new Set(volumeCapabilities.map(modeOf));
  const [mode = 'Filesystem'] = modes;
  if (modes.size !== 1) throw new RpcError('INVALID_ARGUMENT', `${name} has to have one mode`);
  const isShared = volumeCapabilities.some(({ accessMode }) =>
    accessMode?.mode.startsWith('MULTI'),
  );
  if (isShared && request.parameters['access'] === 'single') {
    throw new RpcError('INVALID_ARGUMENT', `${name} cannot be shared`);
  }
  const snapshotId = volumeContentSource?.snapshot?.snapshotId;
  if (volumeContentSource !== null && snapshotId === undefined) {
    throw new RpcError('INVALID_ARGUMENT', `${name} is to be a copy of a volume`);
  }
  const bytes = capacityRange?.requiredBytes || DEFAULT_BYTES;
  const { id } = await store.createVolume(name, { mode, bytes, snapshotId });
  return {
    volume: {
      volumeId: id,
      capacityBytes: bytes,
      contentSource: volumeContentSource ?? undefined,
      accessibleTopology: [TOPOLOGY],
    },
  };
}

interface CreateSnapshotRequest {
  readonly name: string;
  readonly sourceVolumeId: string;
}

async function createSnapshot(
  store: VolumeStore,
  devices: LoopDevices,
  { name, sourceVolumeId }: CreateSnapshotRequest,
) {
  await devices.flush(store.volume(sourceVolumeId).path);
  return { snapshot: told(await store.createSnapshot(name, sourceVolumeId)) };
}

interface ListSnapshotsRequest {
  readonly snapshotId: string;
  readonly sourceVolumeId: string;
}

function listSnapshots(store: VolumeStore, { snapshotId, sourceVolumeId }: ListSnapshotsRequest) {
  const chosen = store.snapshots.filter(
    ({ id, sourceId }) =>
      (snapshotId === '' || id === snapshotId) &&
      (sourceVolumeId === '' || sourceId === sourceVolumeId),
  );
  return { entries: chosen.map(snapshot => ({ snapshot: told(snapshot) })) };
}

function told({ id, sourceId, bytes, createdAt }: StoredSnapshot) {
  const seconds = Math.floor(createdAt.getTime() / 1000);
  return {
    snapshotId: id,
    sourceVolumeId: sourceId,
    sizeBytes: bytes,
    creationTime: { seconds, nanos: 0 },
    readyToUse: true,
  };
}
