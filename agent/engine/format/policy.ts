// Policies: what a snapshot leaves out, how it compresses and how long it is kept (kopia
// snapshot/policy). The value is the parsed JSON itself once its types have been checked, so fields
// that this version does not know stay in it. How policies combine is in policy-merge.ts.

import { EngineError } from '#engine/base/errors.ts';
import { goJson } from '#engine/base/json.ts';
import type { Integer } from './exact-json.ts';
import { failing, isInt64, isJsonObject, parseDocument, type Fail } from './json-fields.ts';
import { TYPE_LABEL, type Labels } from './manifest.ts';
import { POLICY_FIELDS, type PolicyFieldKind } from './policy-fields.ts';
import type { SnapshotSource } from './snapshot-manifest.ts';

export const POLICY_TYPE = 'policy';

export interface RetentionPolicy {
  readonly keepLatest?: Integer;
  readonly keepHourly?: Integer;
  readonly keepDaily?: Integer;
  readonly keepWeekly?: Integer;
  readonly keepMonthly?: Integer;
  readonly keepAnnual?: Integer;
  readonly ignoreIdenticalSnapshots?: boolean;
}

export interface FilesPolicy {
  /** Rules in the syntax of gitignore. */
  readonly ignore?: readonly string[];
  readonly noParentIgnore?: boolean;
  /** Names of files that hold such rules. */
  readonly ignoreDotFiles?: readonly string[];
  readonly noParentDotFiles?: boolean;
  readonly ignoreCacheDirs?: boolean;
  /** Larger files are left out; absent or 0: none are. */
  readonly maxFileSize?: Integer;
  readonly oneFileSystem?: boolean;
}

export interface ErrorHandlingPolicy {
  readonly ignoreFileErrors?: boolean;
  readonly ignoreDirectoryErrors?: boolean;
  readonly ignoreUnknownTypes?: boolean;
}

export interface TimeOfDay {
  readonly hour?: number;
  readonly min?: number;
}

export interface SchedulingPolicy {
  readonly intervalSeconds?: Integer;
  readonly timeOfDay?: readonly TimeOfDay[];
  readonly noParentTimeOfDay?: boolean;
  readonly manual?: boolean;
  readonly cron?: readonly string[];
  readonly runMissed?: boolean;
}

export interface CompressionPolicy {
  readonly compressorName?: string;
  readonly onlyCompress?: readonly string[];
  readonly noParentOnlyCompress?: boolean;
  readonly neverCompress?: readonly string[];
  readonly noParentNeverCompress?: boolean;
  readonly minSize?: Integer;
  readonly maxSize?: Integer;
}

export interface ActionCommand {
  readonly path?: string;
  readonly args?: readonly string[];
  readonly script?: string;
  readonly timeout?: Integer;
  readonly mode?: string;
}

export interface ActionsPolicy {
  readonly beforeFolder?: ActionCommand;
  readonly afterFolder?: ActionCommand;
  readonly beforeSnapshotRoot?: ActionCommand;
  readonly afterSnapshotRoot?: ActionCommand;
}

/** 0 nothing to 10 everything. */
type LogDetail = Integer;

export interface LoggingPolicy {
  readonly directories?: { readonly snapshotted?: LogDetail; readonly ignored?: LogDetail };
  readonly entries?: {
    readonly snapshotted?: LogDetail;
    readonly ignored?: LogDetail;
    readonly cacheHit?: LogDetail;
    readonly cacheMiss?: LogDetail;
  };
}

export interface UploadPolicy {
  readonly maxParallelSnapshots?: Integer;
  readonly maxParallelFileReads?: Integer;
  readonly parallelUploadAboveSize?: Integer;
}

/** Names are those of the JSON. Absent means inherited. */
export interface Policy {
  readonly retention?: RetentionPolicy;
  readonly files?: FilesPolicy;
  readonly errorHandling?: ErrorHandlingPolicy;
  readonly scheduling?: SchedulingPolicy;
  readonly compression?: CompressionPolicy;
  readonly metadataCompression?: { readonly compressorName?: string };
  readonly splitter?: { readonly algorithm?: string };
  readonly actions?: ActionsPolicy;
  /** 0 never, 1 always, 2 when available. */
  readonly osSnapshots?: { readonly volumeShadowCopy?: { readonly enable?: Integer } };
  readonly logging?: LoggingPolicy;
  readonly upload?: UploadPolicy;
  /** Nothing is inherited, not even defaults. */
  readonly noParent?: boolean;
}

/**
 * @param data the JSON of the manifest's entry
 * @param id of the manifest
 * @throws POLICY_INVALID
 */
export function decodePolicy(data: string, id: string): Policy {
  const fail = failing('POLICY_INVALID', `policy ${id}`, 'set it anew with "kopia policy set"');
  const value = parseDocument(data, fail);
  if (!isJsonObject(value)) throw fail('it is not an object');
  for (const { section, name, kind } of POLICY_FIELDS) {
    const field = valueAt(value, [...section, name], fail);
    if (field !== undefined && !FITS[kind](field)) {
      throw fail(`${[...section, name].join('.')} has the wrong type`);
    }
  }
  // Every field of the type has just been checked.
  return value;
}

/** The JSON of the manifest's entry. */
export function encodePolicy(policy: Policy): string {
  return goJson(policy);
}

/** Labels of the policy for a path, or with empty fields for a user, for a host, for all. */
export function policyLabels({ host, userName, path }: SnapshotSource): Labels {
  const type = { [TYPE_LABEL]: POLICY_TYPE };
  if (path !== '') {
    return { ...type, policyType: 'path', username: userName, hostname: host, path };
  }
  if (userName !== '') return { ...type, policyType: 'user', username: userName, hostname: host };
  if (host !== '') return { ...type, policyType: 'host', hostname: host };
  return { ...type, policyType: 'global' };
}

/**
 * The target of a policy as kopia writes it: `(global)`, `@host`, `user@host`, `user@host:/path`.
 */
export function policyTarget({ hostname = '', username = '', path = '' }: Labels): string {
  if (path !== '') return `${username}@${hostname}:${path}`;
  return username !== '' || hostname !== '' ? `${username}@${hostname}` : '(global)';
}

/**
 * What kopia demands of a policy that is being set.
 * @throws POLICY_INVALID
 */
export function checkPolicy(source: SnapshotSource, policy: Policy): void {
  const { scheduling, upload } = policy;
  const others = Object.entries(scheduling ?? {}).filter(([name]) => name !== 'manual');
  if (scheduling?.manual === true && others.some(([, value]) => value !== undefined)) {
    throw invalid('a manual schedule cannot have times as well');
  }
  if (source.path !== '' && upload?.maxParallelSnapshots !== undefined) {
    throw invalid('parallel snapshots can be limited for a user, a host or all, not for a path');
  }
  if (/.[/\\]$/.test(source.path) && !/^[A-Za-z]:[/\\]$/.test(source.path)) {
    throw invalid(`path ${source.path} must not end with a slash`);
  }
}

function invalid(problem: string): EngineError {
  return new EngineError('POLICY_INVALID', `cannot set the policy: ${problem}`);
}

/** The value at a path of names; null and absence are undefined. */
function valueAt(value: unknown, path: readonly string[], fail: Fail): unknown {
  let at: unknown = value;
  for (const [depth, name] of path.entries()) {
    if (at === undefined) return undefined;
    if (!isJsonObject(at)) throw fail(`${path.slice(0, depth).join('.')} is not an object`);
    at = (Object.hasOwn(at, name) ? at[name] : undefined) ?? undefined;
  }
  return at;
}

const isText = (value: unknown) => typeof value === 'string';
const isFlag = (value: unknown) => typeof value === 'boolean';
const isTexts = (value: unknown) => Array.isArray(value) && value.every(isText);

function isTimeOfDay(value: unknown): boolean {
  if (!isJsonObject(value)) return false;
  return [value.hour, value.min].every(part => part === undefined || typeof part === 'number');
}

const FITS: Readonly<Record<PolicyFieldKind, (value: unknown) => boolean>> = Object.freeze({
  optional: isInt64,
  amount: isInt64,
  choice: isFlag,
  flag: isFlag,
  barrier: isFlag,
  text: isText,
  texts: isTexts,
  union: isTexts,
  times: value => Array.isArray(value) && value.every(isTimeOfDay),
  command: isJsonObject,
  ownCommand: isJsonObject,
});
