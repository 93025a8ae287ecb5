// The custom resources of each Velero that we serve, as its own release defines them
// (config/crd/*/bases of the module).

import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ApiClient, ApiObject } from './api-client.ts';
import { clusterProgram } from './cluster-programs.ts';

export const VELERO_RELEASES = ['v1.16.2', 'v1.17.2', 'v1.18.1'] as const;
export type VeleroRelease = (typeof VELERO_RELEASES)[number];

const ESTABLISHED_MS_MAX = 30_000;

/** Defines them, or changes what is there into them; resolves when they can be used. */
export async function applyVeleroCrds(client: ApiClient, release: VeleroRelease): Promise<void> {
  await applyCrds(client, join(clusterProgram('velero-crds'), release));
}

/** The same of any others, a file each, named after group and plural. */
export async function applyCrds(client: ApiClient, directory: string): Promise<void> {
  const files = await readdir(directory);
  await Promise.all(
    files.map(async file => {
      // velero.io_podvolumebackups.yaml
      const [group = '', plural = ''] = file.replace(/\.yaml$/, '').split('_');
      const path = `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${plural}.${group}`;
      await client.applyText(path, await readFile(join(directory, file), 'utf8'));
      await client.until(path, isEstablished, { msMax: ESTABLISHED_MS_MAX });
    }),
  );
}

function isEstablished({ status }: ApiObject): boolean {
  // apiextensions.k8s.io/v1, CustomResourceDefinitionStatus.
  const conditions = (status?.conditions ?? []) as readonly { type: string; status: string }[];
  return conditions.some(({ type, status: is }) => type === 'Established' && is === 'True');
}
