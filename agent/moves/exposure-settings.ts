// What is made to expose a volume of a storage class: the settings of the node-agent ConfigMap with
// the meaning that they have for a stock agent (Velero 1.18.1 pkg/exposer/csi_snapshot.go).

import type { ClaimSettings, HolderSettings } from '#agent/exposer/made-objects.ts';
import type { ClaimRule, ExposureConfig } from './exposure-config.ts';

export interface ExposureSettings {
  readonly ignoresDelayedBinding: boolean;
  /** @param sourceClass of the claim that the snapshot was taken of */
  readonly holderOf: (sourceClass: string) => HolderSettings;
  /** @param storageClass of the claim that is restored */
  readonly restoreHolderOf: (storageClass: string) => HolderSettings;
  /** @param sourceClass of the claim that the snapshot was taken of */
  readonly claimOf: (sourceClass: string) => Omit<ClaimSettings, 'size' | 'mode'>;
}

/** @param image of the holder: a program that sleeps */
export function exposureSettings(
  config: ExposureConfig,
  image: string,
  tolerations?: readonly object[],
): ExposureSettings {
  const { affinities, claims, ignoresDelayedBinding, resources } = config;
  const { priorityClassName, labels, annotations } = config;
  const restoreHolderOf = (storageClass: string): HolderSettings => {
    // One for the class goes before those for all.
    const affinity =
      affinities.find(rule => rule.storageClass === storageClass) ??
      affinities.find(rule => rule.storageClass === undefined);
    const { nodes } = affinity ?? {};
    return { image, nodes, tolerations, resources, priorityClassName, labels, annotations };
  };
  return {
    ignoresDelayedBinding,
    restoreHolderOf,
    holderOf: sourceClass => {
      const rule = ruleOf(claims, sourceClass);
      const hasSuperPrivilegedType = rule?.isReadOnly === true && rule.isNotRelabelled;
      // Where it runs is said for the class of the volume that it holds.
      return { ...restoreHolderOf(rule?.storageClass ?? sourceClass), hasSuperPrivilegedType };
    },
    claimOf: sourceClass => {
      const rule = ruleOf(claims, sourceClass);
      return {
        storageClass: rule?.storageClass ?? sourceClass,
        isReadOnly: rule?.isReadOnly ?? false,
        annotations: rule?.annotations,
      };
    },
  };
}

/** Names of classes are anybody's. */
function ruleOf(claims: ExposureConfig['claims'], name: string): ClaimRule | undefined {
  return Object.hasOwn(claims, name) ? claims[name] : undefined;
}
