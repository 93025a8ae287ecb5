// The policies of a repository, and which one holds for a source.

import type { ReadOptions } from '#engine/object/object-reader.ts';
import type { ManifestReader } from '#engine/manifest/manifest-store.ts';
import { TYPE_LABEL } from '#engine/format/manifest.ts';
import {
  resolvePolicy,
  type EffectivePolicy,
  type PolicyManifest,
} from '#engine/format/policy-merge.ts';
import { decodePolicy, POLICY_TYPE } from '#engine/format/policy.ts';
import type { SnapshotSource } from '#engine/format/snapshot-manifest.ts';

/**
 * Every policy that is set.
 * @throws POLICY_INVALID naming the manifest; a policy that cannot be read might exclude files
 */
export async function loadPolicies(
  manifests: ManifestReader,
  options: ReadOptions = {},
): Promise<PolicyManifest[]> {
  const found = await manifests.find({ [TYPE_LABEL]: POLICY_TYPE }, options);
  return found.map(({ id, labels, modifiedNs, data }) => {
    return { id, labels, modifiedNs, policy: decodePolicy(data, id) };
  });
}

/**
 * Every policy, and what holds for a source: its own, what it inherits, and kopia's defaults.
 * @throws POLICY_INVALID
 */
export async function policiesFor(
  manifests: ManifestReader,
  source: SnapshotSource,
  options: ReadOptions = {},
): Promise<{ readonly policies: readonly PolicyManifest[]; readonly effective: EffectivePolicy }> {
  const policies = await loadPolicies(manifests, options);
  return { policies, effective: resolvePolicy(source, policies) };
}
