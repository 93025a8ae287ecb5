// The CustomResourceDefinitions of Velero's data path, by version: the fields and enums that
// config/crd/v1/bases and config/crd/v2alpha1/bases of Velero v1.16.2, v1.17.1 and v1.18.1 have,
// written from their types. Kinds that no agent reads take whatever they are given.

import type { JsonObject } from './json.ts';
import type { Schema } from './schema.ts';

export type VeleroVersion = '1.16' | '1.17' | '1.18';
export const VELERO_VERSIONS: readonly VeleroVersion[] = ['1.16', '1.17', '1.18'];

const TEXT: Schema = { type: 'string' };
const FLAG: Schema = { type: 'boolean' };
const COUNT: Schema = { type: 'integer', format: 'int64' };
const TIME: Schema = { type: 'string', format: 'date-time', nullable: true };
const TEXTS: Schema = { type: 'object', additionalProperties: TEXT };
const TEXTS_OR_NULL: Schema = { ...TEXTS, nullable: true };
const UPLOADER: Schema = { type: 'string', enum: ['kopia', 'restic', ''] };
const NODE_OS: Schema = { type: 'string', enum: ['auto', 'linux', 'windows'] };

const FEW_PHASES = ['New', 'InProgress', 'Completed', 'Failed'];
const ALL_PHASES = [
  'New',
  'Accepted',
  'Prepared',
  'InProgress',
  'Canceling',
  'Canceled',
  'Completed',
  'Failed',
];

const REFERENCE = object({
  apiVersion: TEXT,
  fieldPath: TEXT,
  kind: TEXT,
  name: TEXT,
  namespace: TEXT,
  resourceVersion: TEXT,
  uid: TEXT,
});
const KEY_OF_SECRET = object({ key: TEXT, name: { ...TEXT, default: '' }, optional: FLAG }, [
  'key',
]);
const PROGRESS = object({ bytesDone: COUNT, totalBytes: COUNT });
const ANYTHING: Schema = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };

/** Of Velero's CRDs, as an API server takes them by POST. */
export function veleroCrds(version: VeleroVersion): JsonObject[] {
  const isOld = version === '1.16';
  const isNew = version === '1.18';
  return [
    crd('v1', 'PodVolumeBackup', podVolumeBackup(isOld, isNew)),
    crd('v1', 'PodVolumeRestore', podVolumeRestore(isOld, isNew)),
    crd('v1', 'BackupRepository', backupRepository(isOld), 'backuprepositories'),
    crd('v1', 'BackupStorageLocation', backupStorageLocation(isNew), undefined, ['bsl']),
    crd('v2alpha1', 'DataUpload', dataUpload(isOld, isNew)),
    crd('v2alpha1', 'DataDownload', dataDownload(isNew)),
    ...['Backup', 'Restore', 'Schedule', 'DeleteBackupRequest', 'ServerStatusRequest'].map(kind =>
      crd('v1', kind, { spec: ANYTHING, status: ANYTHING }),
    ),
  ];
}

type SpecAndStatus = Readonly<Record<'spec' | 'status', Schema>>;

function podVolumeBackup(isOld: boolean, isNew: boolean): SpecAndStatus {
  return {
    spec: object(
      {
        backupStorageLocation: TEXT,
        ...(isOld ? {} : { cancel: FLAG }),
        node: TEXT,
        pod: REFERENCE,
        repoIdentifier: TEXT,
        tags: TEXTS,
        uploaderSettings: TEXTS_OR_NULL,
        uploaderType: UPLOADER,
        volume: TEXT,
      },
      ['backupStorageLocation', 'node', 'pod', 'repoIdentifier', 'volume'],
    ),
    status: object({
      ...moveStatus(isOld),
      path: TEXT,
      snapshotID: TEXT,
      ...(isNew ? { incrementalBytes: COUNT } : {}),
    }),
  };
}

function podVolumeRestore(isOld: boolean, isNew: boolean): SpecAndStatus {
  return {
    spec: object(
      {
        backupStorageLocation: TEXT,
        ...(isOld ? {} : { cancel: FLAG }),
        pod: REFERENCE,
        repoIdentifier: TEXT,
        snapshotID: TEXT,
        ...(isNew ? { snapshotSize: COUNT } : {}),
        sourceNamespace: TEXT,
        uploaderSettings: TEXTS_OR_NULL,
        uploaderType: UPLOADER,
        volume: TEXT,
      },
      ['backupStorageLocation', 'pod', 'repoIdentifier', 'snapshotID', 'sourceNamespace', 'volume'],
    ),
    status: object({ ...moveStatus(isOld), ...(isOld ? {} : { node: TEXT }) }),
  };
}

function moveStatus(isOld: boolean): Record<string, Schema> {
  return {
    completionTimestamp: TIME,
    message: TEXT,
    phase: { type: 'string', enum: isOld ? FEW_PHASES : ALL_PHASES },
    progress: PROGRESS,
    startTimestamp: TIME,
    ...(isOld ? {} : { acceptedTimestamp: TIME }),
  };
}

function backupRepository(isOld: boolean): SpecAndStatus {
  const maintenance = object({
    completeTimestamp: TIME,
    message: TEXT,
    result: { type: 'string', enum: ['Succeeded', 'Failed'] },
    startTimestamp: TIME,
  });
  return {
    spec: object(
      {
        backupStorageLocation: TEXT,
        maintenanceFrequency: TEXT,
        repositoryConfig: TEXTS_OR_NULL,
        repositoryType: UPLOADER,
        resticIdentifier: TEXT,
        volumeNamespace: TEXT,
      },
      [
        'backupStorageLocation',
        'maintenanceFrequency',
        ...(isOld ? ['resticIdentifier'] : []),
        'volumeNamespace',
      ],
    ),
    status: object({
      lastMaintenanceTime: TIME,
      message: TEXT,
      phase: { type: 'string', enum: ['New', 'Ready', 'NotReady'] },
      recentMaintenance: { type: 'array', items: maintenance },
    }),
  };
}

function backupStorageLocation(isNew: boolean): SpecAndStatus {
  const accessMode: Schema = { type: 'string', enum: ['ReadOnly', 'ReadWrite'] };
  const objectStorage = object(
    {
      bucket: TEXT,
      caCert: { type: 'string', format: 'byte' },
      ...(isNew ? { caCertRef: KEY_OF_SECRET } : {}),
      prefix: TEXT,
    },
    ['bucket'],
  );
  return {
    spec: object(
      {
        accessMode,
        backupSyncPeriod: { ...TEXT, nullable: true },
        config: TEXTS,
        credential: KEY_OF_SECRET,
        default: FLAG,
        objectStorage,
        provider: TEXT,
        validationFrequency: { ...TEXT, nullable: true },
      },
      ['objectStorage', 'provider'],
    ),
    status: object({
      accessMode,
      lastSyncedRevision: TEXT,
      lastSyncedTime: TIME,
      lastValidationTime: TIME,
      message: TEXT,
      phase: { type: 'string', enum: ['Available', 'Unavailable'] },
    }),
  };
}

function dataUpload(isOld: boolean, isNew: boolean): SpecAndStatus {
  const csiSnapshot = object(
    {
      ...(isOld ? {} : { driver: TEXT }),
      snapshotClass: TEXT,
      storageClass: TEXT,
      volumeSnapshot: TEXT,
    },
    ['storageClass', 'volumeSnapshot'],
  );
  return {
    spec: object(
      {
        backupStorageLocation: TEXT,
        cancel: FLAG,
        csiSnapshot: { ...csiSnapshot, nullable: true },
        dataMoverConfig: TEXTS_OR_NULL,
        datamover: TEXT,
        operationTimeout: TEXT,
        snapshotType: TEXT,
        sourceNamespace: TEXT,
        sourcePVC: TEXT,
      },
      ['backupStorageLocation', 'operationTimeout', 'snapshotType', 'sourceNamespace', 'sourcePVC'],
    ),
    status: object({
      ...moveStatus(false),
      acceptedByNode: TEXT,
      dataMoverResult: TEXTS_OR_NULL,
      ...(isNew ? { incrementalBytes: COUNT } : {}),
      node: TEXT,
      nodeOS: NODE_OS,
      path: TEXT,
      snapshotID: TEXT,
    }),
  };
}

function dataDownload(isNew: boolean): SpecAndStatus {
  const target = object({ namespace: TEXT, pv: TEXT, pvc: TEXT }, ['namespace', 'pv', 'pvc']);
  return {
    spec: object(
      {
        backupStorageLocation: TEXT,
        cancel: FLAG,
        dataMoverConfig: TEXTS,
        datamover: TEXT,
        nodeOS: NODE_OS,
        operationTimeout: TEXT,
        snapshotID: TEXT,
        ...(isNew ? { snapshotSize: COUNT } : {}),
        sourceNamespace: TEXT,
        targetVolume: target,
      },
      [
        'backupStorageLocation',
        'operationTimeout',
        'snapshotID',
        'sourceNamespace',
        'targetVolume',
      ],
    ),
    status: object({ ...moveStatus(false), acceptedByNode: TEXT, node: TEXT }),
  };
}

function object(properties: Readonly<Record<string, Schema>>, required?: string[]): Schema {
  return required === undefined
    ? { type: 'object', properties }
    : { type: 'object', properties, required };
}

function crd(
  version: string,
  kind: string,
  content: SpecAndStatus,
  plural = `${kind.toLowerCase()}s`,
  shortNames?: string[],
): JsonObject {
  const names = { kind, listKind: `${kind}List`, plural, singular: kind.toLowerCase(), shortNames };
  const properties = { apiVersion: TEXT, kind: TEXT, metadata: { type: 'object' }, ...content };
  const schema = { openAPIV3Schema: object(properties) };
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.velero.io` },
    spec: {
      group: 'velero.io',
      names,
      scope: 'Namespaced',
      versions: [{ name: version, served: true, storage: true, schema, subresources: {} }],
    },
  };
}
