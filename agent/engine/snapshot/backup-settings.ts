// From what was asked for and what the policy of the source says to the settings of an upload.

import type { FilesPolicy, Policy } from '#engine/format/policy.ts';
import {
  type EffectivePolicy,
  type PolicyManifest,
  resolvePolicy,
} from '#engine/format/policy-merge.ts';
import { policyTarget } from '#engine/format/policy.ts';
import type { SnapshotSource } from '#engine/format/snapshot-manifest.ts';
import {
  createSelection,
  type FilesPolicy as SelectionFiles,
  type Origins,
  type Selection,
  type SelectingField,
  type SelectionRequest,
} from '#engine/snapshot/source/selection.ts';
import { EngineError } from '#engine/base/errors.ts';
import type { ErrorHandling, ErrorRules } from '#engine/snapshot/upload/error-handling.ts';
import type { FileCompression } from '#engine/snapshot/upload/upload-tasks.ts';

/** `auto` lets a sample of each file decide; `policy` follows the repository's policies alone. */
export type CompressionRequest = 'auto' | 'none' | 'policy' | `zstd:${number}`;

/** What a sample that shrinks is compressed with. */
const AUTO_COMPRESSOR = 'zstd-fastest';
/** kopia's default for directories and chunk lists since 0.18. */
const METADATA_COMPRESSOR = 'zstd-fastest';

export function fileCompression(request: CompressionRequest, policy: Policy): FileCompression {
  const { compressorName = 'none', ...rules } = policy.compression ?? {};
  const isNamedByPolicy = compressorName !== 'none' && compressorName !== '';
  if (request === 'none') return { kind: 'none' };
  if (request === 'auto' && !isNamedByPolicy) return { kind: 'auto', compressor: AUTO_COMPRESSOR };
  if (request === 'policy' && !isNamedByPolicy) return { kind: 'none' };
  if (request !== 'auto' && request !== 'policy') return everything(request);
  return {
    kind: 'policy',
    compressor: compressorName,
    onlyCompress: rules.onlyCompress ?? [],
    neverCompress: rules.neverCompress ?? [],
    minBytes: Number(rules.minSize ?? 0),
    maxBytes: Number(rules.maxSize ?? 0),
  };
}

function everything(compressor: string): FileCompression {
  const rules = { onlyCompress: [], neverCompress: [], minBytes: 0, maxBytes: 0 };
  return { kind: 'policy', compressor, ...rules };
}

export function metadataCompression(policy: Policy): string {
  return policy.metadataCompression?.compressorName ?? METADATA_COMPRESSOR;
}

/** Files above this length are cut anew at its multiples; 0 when never. */
export function partBytes(policy: Policy): number {
  const above = Number(policy.upload?.parallelUploadAboveSize ?? 0);
  return above > 0 && above < Number.MAX_SAFE_INTEGER ? above : 0;
}

/** Which errors the policy of the source, and those of directories below it, pass over. */
export function errorRulesFor(
  source: SnapshotSource,
  { policy }: EffectivePolicy,
  policies: readonly PolicyManifest[],
): ErrorRules {
  const below = new Map<string, ErrorHandling>();
  for (const [path] of policiesBeneath(source, policies)) {
    const at = joinSource(source.path, path);
    below.set(path, errorHandling(resolvePolicy({ ...source, path: at }, policies).policy));
  }
  return { root: errorHandling(policy), below };
}

function errorHandling({ errorHandling: handling = {} }: Policy): ErrorHandling {
  return {
    ignoresFileErrors: handling.ignoreFileErrors ?? false,
    ignoresDirectoryErrors: handling.ignoreDirectoryErrors ?? false,
    ignoresUnknownTypes: handling.ignoreUnknownTypes ?? true,
  };
}

/** Policies of directories beneath the source, each with its path from there: `a/b`. */
function policiesBeneath(
  source: SnapshotSource,
  policies: readonly PolicyManifest[],
): [path: string, policy: Policy][] {
  const prefix = joinSource(source.path, '');
  return policies
    .filter(({ labels: { hostname, username, path = '' } }) => {
      const isOurs = hostname === source.host && username === source.userName;
      return isOurs && path.startsWith(prefix) && path !== prefix;
    })
    .map(({ labels: { path = '' }, policy }) => [path.slice(prefix.length), policy]);
}

function joinSource(path: string, below: string): string {
  return path.endsWith('/') ? `${path}${below}` : `${path}/${below}`;
}

/**
 * What the snapshot contains. Policies of directories below the source take part, as in kopia.
 * @throws POLICY_INVALID, USAGE
 */
export function selectionFor(
  source: SnapshotSource,
  effective: EffectivePolicy,
  policies: readonly PolicyManifest[],
  request: SelectionRequest = {},
): Selection {
  const policiesBelow = new Map<string, SelectionFiles>();
  for (const [path, policy] of policiesBeneath(source, policies)) {
    policiesBelow.set(path, filesOf(policy.files));
  }
  const sourceName = `${source.userName}@${source.host}:${source.path.replace(/\/$/, '')}`;
  const origins = originsOf(effective);
  const options = { policiesBelow, sourceName, origins, request: selecting(request) };
  return createSelection(filesOf(effective.policy.files), options);
}

/** Only what concerns the selection goes along with it from directory to directory. */
function selecting(request: SelectionRequest): SelectionRequest {
  const { ignoreFileNames, fileBytesMax, isOneFileSystem } = request;
  const { storesCacheDirectories, storesIgnoredFiles } = request;
  const stores = { storesCacheDirectories, storesIgnoredFiles };
  return { ignoreFileNames, fileBytesMax, isOneFileSystem, ...stores };
}

const SELECTING_FIELDS: readonly SelectingField[] = [
  'ignore',
  'maxFileSize',
  'oneFileSystem',
  'ignoreCacheDirs',
];

/**
 * Which policy each field is from: the most specific one that says something (policy-fields.ts).
 */
function originsOf({ sources }: EffectivePolicy): Origins {
  const origins = SELECTING_FIELDS.map(field => {
    const from = sources.find(({ policy }) => isSaid(policy.files?.[field]));
    if (from === undefined) return [field, { kind: 'default' }];
    return [field, { kind: 'policy', target: policyTarget(from.labels) }];
  });
  return Object.fromEntries(origins) as Origins; // one for each of the fields
}

function isSaid(value: unknown): boolean {
  if (Array.isArray(value)) return value.length > 0;
  return value !== undefined && value !== null && value !== 0;
}

function filesOf(files: FilesPolicy = {}): SelectionFiles {
  const maxFileSize = Number(files.maxFileSize ?? 0);
  if (!Number.isSafeInteger(maxFileSize)) {
    throw new EngineError('POLICY_INVALID', 'files.maxFileSize of a policy is absurdly large');
  }
  return { ...files, maxFileSize };
}
