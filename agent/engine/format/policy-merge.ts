// The policy that holds for a source: its own, those of the directories above it, of user@host, of
// the host, the global one, and kopia's defaults (kopia snapshot/policy/policy_manager.go,
// policy_merge.go, policy_tree.go).

import { isJsonObject } from './json-fields.ts';
import { matchesLabels, type Labels } from './manifest.ts';
import { POLICY_FIELDS, type PolicyField } from './policy-fields.ts';
import { policyLabels, type Policy, type TimeOfDay } from './policy.ts';
import { compareUtf8 } from './go-name.ts';
import type { SnapshotSource } from './snapshot-manifest.ts';

export interface PolicyManifest {
  readonly id: string;
  readonly labels: Labels;
  readonly modifiedNs: bigint;
  readonly policy: Policy;
}

export const DEFAULT_POLICY: Policy = Object.freeze({
  retention: {
    keepLatest: 10,
    keepHourly: 48,
    keepDaily: 7,
    keepWeekly: 4,
    keepMonthly: 24,
    keepAnnual: 3,
    ignoreIdenticalSnapshots: false,
  },
  files: { ignoreDotFiles: ['.kopiaignore'] },
  errorHandling: {
    ignoreFileErrors: false,
    ignoreDirectoryErrors: false,
    ignoreUnknownTypes: true,
  },
  scheduling: { runMissed: true },
  compression: { compressorName: 'none' },
  metadataCompression: { compressorName: 'zstd-fastest' },
  osSnapshots: { volumeShadowCopy: { enable: 0 } },
  logging: {
    directories: { snapshotted: 5, ignored: 5 },
    entries: { snapshotted: 0, ignored: 5, cacheHit: 0, cacheMiss: 0 },
  },
  upload: { maxParallelSnapshots: 1, parallelUploadAboveSize: 2 ** 31 },
});

export interface EffectivePolicy {
  readonly policy: Policy;
  /** What it was made of, the most specific first; defaults not included. */
  readonly sources: readonly PolicyManifest[];
}

/**
 * Where several manifests have the same labels all of them count, the oldest first, as in kopia:
 * two clients that set one policy at the same time leave such a pair.
 */
export function resolvePolicy(
  source: SnapshotSource,
  manifests: readonly PolicyManifest[],
): EffectivePolicy {
  const ordered = [...manifests].sort(byAge);
  const sources = policyLevels(source).flatMap(labels =>
    ordered.filter(manifest => matchesLabels(manifest.labels, labels)),
  );
  const policies = sources.map(manifest => manifest.policy);
  const last = policies.findIndex(policy => policy.noParent === true);
  // A policy without parents does without kopia's defaults and without its own folder actions.
  if (last >= 0) {
    return {
      policy: mergePolicies(policies.slice(0, last + 1)),
      sources: sources.slice(0, last + 1),
    };
  }
  const isOwn = sources.length > 0 && matchesLabels(sources[0].labels, policyLabels(source));
  const own = isOwn ? policies[0] : {};
  return { policy: mergePolicies([...policies, DEFAULT_POLICY], own), sources };
}

/** Labels of the policies that apply to a source, the most specific first. */
export function policyLevels(source: SnapshotSource): Labels[] {
  const { host, userName } = source;
  const sources = [
    ...pathsUpward(source.path).map(path => ({ host, userName, path })),
    { host, userName, path: '' },
    { host, userName: '', path: '' },
    { host: '', userName: '', path: '' },
  ];
  const levels = new Map(sources.map(at => [JSON.stringify(at), at]));
  return [...levels.values()].map(policyLabels);
}

/** A path and its parents, the longest first; slashes of both kinds, drive letters stay. */
export function pathsUpward(path: string): string[] {
  const paths: string[] = [];
  for (let at = path; at !== '' && !paths.includes(at); at = parentOf(at)) paths.push(at);
  return paths;
}

function parentOf(path: string): string {
  const volume = /^.:(?=[/\\])/.exec(path)?.[0] ?? '';
  let rest = path.slice(volume.length);
  let slash = lastSlash(rest);
  if (slash > 0 && slash === rest.length - 1) {
    rest = rest.slice(0, slash);
    slash = lastSlash(rest);
  }
  if (slash < 0) return path;
  return volume + rest.slice(0, Math.max(slash, 1));
}

function lastSlash(path: string): number {
  return Math.max(path.lastIndexOf('/'), path.lastIndexOf('\\'));
}

function byAge(a: PolicyManifest, b: PolicyManifest): number {
  if (a.modifiedNs !== b.modifiedNs) return a.modifiedNs < b.modifiedNs ? -1 : 1;
  return compareUtf8(a.id, b.id);
}

type Fields = Record<string, unknown>;

/** Combines policies, the most specific first. `own` is the one for the very source. */
function mergePolicies(policies: readonly Policy[], own: Policy = {}): Policy {
  const merged: Fields = {};
  for (const field of POLICY_FIELDS) {
    const sources = field.kind === 'ownCommand' ? [own] : policies;
    const value = mergeField(field, sources);
    if (value !== undefined) sectionOf(merged, field.section)[field.name] = value;
  }
  // Built from checked policies by the table that describes the type.
  return merged;
}

function mergeField(field: PolicyField, policies: readonly Policy[]): unknown {
  const values = policies.map(policy => read(policy, field.section, field.name));
  switch (field.kind) {
    case 'union':
      return unionOf(upToStop(field, policies, values), text => text, compareTexts);
    case 'times':
      return unionOf(upToStop(field, policies, values), timeKey, compareTimes);
    case 'barrier':
      return undefined;
    case 'flag':
      return values.find(value => value === true);
    case 'amount':
    case 'text':
    case 'texts':
      return values.find(isFilled);
    default:
      return values.find(value => value !== undefined);
  }
}

/** Values of the policies up to and including the first that stops inheritance. */
function upToStop(field: PolicyField, policies: readonly Policy[], values: unknown[]): unknown[] {
  const { section, stop } = field;
  if (stop === undefined) return values;
  const last = policies.findIndex(policy => read(policy, section, stop) === true);
  return last < 0 ? values : values.slice(0, last + 1);
}

function unionOf<Item>(
  lists: readonly unknown[],
  keyOf: (item: Item) => string,
  compare: (a: Item, b: Item) => number,
): Item[] | undefined {
  const items = new Map<string, Item>();
  for (const list of lists) {
    // The types of all fields were checked when the policies were read.
    for (const item of (list ?? []) as readonly Item[]) items.set(keyOf(item), item);
  }
  return items.size === 0 ? undefined : [...items.values()].sort(compare);
}

const compareTexts = (a: string, b: string) => compareUtf8(a, b);
const minuteOf = ({ hour = 0, min = 0 }: TimeOfDay) => hour * 60 + min;
const timeKey = (time: TimeOfDay) => String(minuteOf(time));
const compareTimes = (a: TimeOfDay, b: TimeOfDay) => minuteOf(a) - minuteOf(b);

function isFilled(value: unknown): boolean {
  if (Array.isArray(value)) return value.length > 0;
  return value !== undefined && value !== '' && value !== 0;
}

function read(policy: Policy, section: readonly string[], name: string): unknown {
  let at: unknown = policy;
  for (const step of [...section, name]) {
    at = isJsonObject(at) && Object.hasOwn(at, step) ? (at[step] ?? undefined) : undefined;
  }
  return at;
}

function sectionOf(fields: Fields, section: readonly string[]): Fields {
  let at = fields;
  for (const step of section) at = (at[step] ??= {}) as Fields;
  return at;
}
