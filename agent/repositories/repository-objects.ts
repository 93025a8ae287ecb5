// What is read of Velero's BackupStorageLocation and BackupRepository and of Secrets (velero 1.18.1
// pkg/apis/velero/v1/{backupstoragelocation_types,backup_repository_types}.go). Nothing of it is
// ever written but a BackupRepository that is missing.

import type { KubeObject, Resource } from '#kube/kube-object.ts';

const velero = (plural: string, kind: string): Resource =>
  Object.freeze({ group: 'velero.io', version: 'v1', plural, kind, isNamespaced: true });

export const STORAGE_LOCATIONS = velero('backupstoragelocations', 'BackupStorageLocation');
export const REPOSITORIES = velero('backuprepositories', 'BackupRepository');

export interface SecretKey {
  readonly name: string;
  readonly key: string;
}

export interface Secret extends KubeObject {
  /** Values in base64. */
  readonly data?: Readonly<Record<string, string>>;
}

export interface StorageLocation extends KubeObject {
  readonly spec?: {
    /** `aws` means `velero.io/aws`. */
    readonly provider?: string;
    readonly config?: Readonly<Record<string, string>>;
    readonly credential?: SecretKey;
    readonly objectStorage?: {
      readonly bucket?: string;
      readonly prefix?: string;
      /** PEM in base64. */
      readonly caCert?: string;
      /** Since 1.18; instead of caCert. */
      readonly caCertRef?: SecretKey;
    };
    readonly accessMode?: string;
  };
  readonly status?: { readonly phase?: string; readonly message?: string };
}

export interface BackupRepository extends KubeObject {
  readonly spec?: {
    readonly volumeNamespace?: string;
    readonly repositoryType?: string;
    /** Go's text of a duration. */
    readonly maintenanceFrequency?: string;
    readonly resticIdentifier?: string;
    readonly backupStorageLocation?: string;
  };
  readonly status?: { readonly phase?: string; readonly message?: string };
}
