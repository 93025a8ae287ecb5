// Which entries a snapshot contains, decided as kopia decides it (fs/ignorefs/ignorefs.go and
// snapshot/policy at 0.23.1): ignore rules of policies, ignore files, size, file system, caches.
//
// A Selection is plain data, made for one directory from that of its parent; it can be told to
// another thread. Where there are no rules, isUnrestricted says so once for a whole directory.

import { EngineError } from '#engine/base/errors.ts';

import { ignoreFileLines } from './ignore-file.ts';
import { patternVerdict } from './ignore-match.ts';
import { parseIgnorePattern, type IgnorePattern } from './ignore-pattern.ts';
import { nameText } from './source-name.ts';
import { ENTRY_TYPE, type SourceStat } from './source-stat.ts';

/** The `files` part of a policy manifest (kopia snapshot/policy/files_policy.go). */
export interface FilesPolicy {
  readonly ignore?: readonly string[];
  /** Names of ignore files; kopia's default for a source is `.kopiaignore`. */
  readonly ignoreDotFiles?: readonly string[];
  readonly ignoreCacheDirs?: boolean;
  /** Bytes; 0 is no limit. */
  readonly maxFileSize?: number;
  readonly oneFileSystem?: boolean;
  // kopia also has noParentIgnore and noParentDotFiles. Its code reads both and neither changes
  // what is stored: rules of parents are asked through another path, names are replaced anyway.
}

/** kopia's built-in policy. */
export const DEFAULT_FILES_POLICY: FilesPolicy = Object.freeze({
  ignoreDotFiles: Object.freeze(['.kopiaignore']),
});

export interface SelectionOptions {
  /**
   * Policies that are defined for directories below the root, each as stored and not merged with
   * others, by path relative to the root (`a/b`).
   */
  readonly policiesBelow?: ReadonlyMap<string, FilesPolicy>;
}

export interface Selection {
  /** '' for the root, else `/a/b`, as text (source-name.ts). */
  readonly path: string;
  /** Ignore files to look for in this directory, in this order. */
  readonly ignoreFileNames: readonly string[];
  /** Whether a directory with a valid CACHEDIR.TAG is stored as an empty one. */
  readonly skipsCacheDirectories: boolean;
  /** 0 is no limit. */
  readonly fileBytesMax: number;
  readonly isOneFileSystem: boolean;
  /** Rules of the root first; one list for each directory that adds some. */
  readonly ruleLists: readonly (readonly IgnorePattern[])[];
  readonly policiesBelow: ReadonlyMap<string, FilesPolicy>;
}

/** Why an entry is left out. */
export interface Exclusion {
  readonly reason: 'ignored' | 'too large' | 'other file system';
  /** The last rule that said so, as it was written. */
  readonly rule?: string;
}

/**
 * The selection of the root directory, before its ignore files. `files` is the effective policy of
 * the source: merged, with defaults (DEFAULT_FILES_POLICY).
 * @throws POLICY_INVALID
 */
export function createSelection(files: FilesPolicy, options: SelectionOptions = {}): Selection {
  const blank: Selection = {
    path: '',
    ignoreFileNames: [],
    skipsCacheDirectories: true,
    fileBytesMax: 0,
    isOneFileSystem: false,
    ruleLists: [],
    policiesBelow: options.policiesBelow ?? new Map<string, FilesPolicy>(),
  };
  return applyPolicy(blank, files);
}

/** The selection of a child directory, before its ignore files. @throws POLICY_INVALID */
export function enterDirectory(parent: Selection, name: Uint8Array): Selection {
  const path = `${parent.path}/${nameText(name)}`;
  // A file that a policy names twice is read twice in the policy's own directory, once below it.
  const child = { ...parent, path, ignoreFileNames: [...new Set(parent.ignoreFileNames)] };
  const policy = parent.policiesBelow.get(child.path.slice(1));
  return policy === undefined ? child : applyPolicy(child, policy);
}

/**
 * A policy that is defined for a directory replaces names of ignore files, oneFileSystem and
 * ignoreCacheDirs even where it does not mention them; the size limit is inherited; rules add up.
 */
function applyPolicy(selection: Selection, policy: FilesPolicy): Selection {
  for (const name of policy.ignoreDotFiles ?? []) {
    if (!name.includes('/')) continue;
    throw new EngineError(
      'POLICY_INVALID',
      `cannot use ignore file ${name}: only a name within a directory will do; correct the policy`,
    );
  }
  const lines = (policy.ignore ?? []).map(rule => new Uint8Array(Buffer.from(rule)));
  return withRules(
    {
      ...selection,
      ignoreFileNames: policy.ignoreDotFiles ?? [],
      skipsCacheDirectories: policy.ignoreCacheDirs ?? true,
      fileBytesMax: policy.maxFileSize || selection.fileBytesMax,
      isOneFileSystem: policy.oneFileSystem ?? false,
    },
    lines,
  );
}

/** Adds the rules of one ignore file of this directory. @throws POLICY_INVALID, LIMIT_EXCEEDED */
export function withIgnoreFile(selection: Selection, text: Uint8Array): Selection {
  return withRules(selection, ignoreFileLines(text));
}

function withRules(selection: Selection, lines: readonly Uint8Array[]): Selection {
  if (lines.length === 0) return selection;
  const rules = lines.map(line => parseIgnorePattern(line, selection.path));
  return { ...selection, ruleLists: [...selection.ruleLists, rules] };
}

/** True when nothing in this directory can be left out. */
export function isUnrestricted(selection: Selection): boolean {
  return (
    selection.ruleLists.length === 0 && selection.fileBytesMax === 0 && !selection.isOneFileSystem
  );
}

/**
 * Whether the rules leave an entry out by its name. Deeper rules come later and may take back what
 * those above said; a rule is asked only when it could change the verdict.
 */
export function exclusionByName(
  selection: Selection,
  name: Uint8Array,
  isDirectory: boolean,
): Exclusion | undefined {
  if (selection.ruleLists.length === 0) return undefined;
  const text = `${selection.path}/${nameText(name)}`;
  const path = Array.from(text, character => character.codePointAt(0) ?? 0);
  let decisive: IgnorePattern | undefined;
  for (const rules of selection.ruleLists) {
    for (const rule of rules) {
      const isIgnored = decisive !== undefined;
      if (rule.isNegated !== isIgnored) continue;
      const isIgnoredNow = patternVerdict(rule, path, isDirectory);
      if (isIgnoredNow !== isIgnored) decisive = isIgnoredNow ? rule : undefined;
    }
  }
  return decisive === undefined ? undefined : { reason: 'ignored', rule: decisive.text };
}

/**
 * Whether size or file system leave an entry out. kopia compares a link's own length with the limit
 * for files; directories have no size.
 */
export function exclusionByStat(
  selection: Selection,
  stat: SourceStat,
  directory: SourceStat,
): Exclusion | undefined {
  const { fileBytesMax, isOneFileSystem } = selection;
  if (fileBytesMax > 0 && stat.type !== ENTRY_TYPE.directory && stat.size > fileBytesMax) {
    return { reason: 'too large' };
  }
  const isElsewhere =
    stat.deviceMajor !== directory.deviceMajor || stat.deviceMinor !== directory.deviceMinor;
  return isOneFileSystem && isElsewhere ? { reason: 'other file system' } : undefined;
}
