// Which entries a snapshot contains, decided as kopia decides it (fs/ignorefs/ignorefs.go and
// snapshot/policy at 0.23.1): ignore rules of policies, ignore files, size, file system, caches;
// and what a backup is told besides, which holds whatever the policies say.
//
// A Selection is plain data, made for one directory from that of its parent; it can be told to
// another thread. Rules for names are asked through name-rules.ts.

import { EngineError } from '#engine/base/errors.ts';

import { gitIgnoreRules, type GitRuleList } from './git-rules.ts';
import { ignoreFileLines, type IgnoreLine } from './ignore-file.ts';
import { parseIgnorePattern, type IgnorePattern } from './ignore-pattern.ts';
import type { DecidingRule, RuleOrigin } from './rule-origin.ts';
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

/** What is asked for with one backup. It comes on top of the policies and holds everywhere. */
export interface SelectionRequest {
  /** Ignore files in git's language, looked for in every directory: `.gitignore`. */
  readonly ignoreFileNames?: readonly string[];
  /** Larger files are left out; where a policy has a limit, too, the smaller one counts. */
  readonly fileBytesMax?: number;
  /** What lies on another file system than its directory is left out. */
  readonly isOneFileSystem?: boolean;
  /** Directories with a CACHEDIR.TAG are stored like any other. */
  readonly storesCacheDirectories?: boolean;
  /** Ignore files in kopia's language, which policies name, are files like any other. */
  readonly storesIgnoredFiles?: boolean;
}

/** The fields of a policy that can leave something out. */
export type SelectingField = 'ignore' | 'maxFileSize' | 'oneFileSystem' | 'ignoreCacheDirs';
export type Origins = { readonly [Field in SelectingField]?: RuleOrigin };

export interface SelectionOptions {
  /**
   * Policies that are defined for directories below the root, each as stored and not merged with
   * others, by path relative to the root (`a/b`).
   */
  readonly policiesBelow?: ReadonlyMap<string, FilesPolicy>;
  /** Which policies the fields of the effective one come from. */
  readonly origins?: Origins;
  /** `user@host:/path`: with a path behind it, the target of a policy below. */
  readonly sourceName?: string;
  readonly request?: SelectionRequest;
}

export interface RuleList {
  readonly origin: RuleOrigin;
  readonly rules: readonly IgnorePattern[];
}

export interface Selection {
  /** '' for the root, else `/a/b`, as text (source-name.ts). */
  readonly path: string;
  /** Length of the same in bytes of names, with a slash behind each: what `a/b/` has. */
  readonly pathBytes: number;
  /** Ignore files in kopia's language to look for in this directory, in this order. */
  readonly ignoreFileNames: readonly string[];
  /** Whether a directory with a valid CACHEDIR.TAG is stored as an empty one. */
  readonly skipsCacheDirectories: boolean;
  /** 0 is no limit. */
  readonly fileBytesMax: number;
  readonly isOneFileSystem: boolean;
  /** Rules of the root first; one list for each policy and ignore file. */
  readonly ruleLists: readonly RuleList[];
  /** Rules of ignore files in git's language; they come after all of kopia's. */
  readonly gitRuleLists: readonly GitRuleList[];
  readonly origins: Origins;
  readonly policiesBelow: ReadonlyMap<string, FilesPolicy>;
  readonly sourceName: string;
  readonly request: SelectionRequest;
}

/** Why an entry is left out. */
export interface Exclusion {
  readonly reason: 'ignored' | 'too large' | 'other file system';
  /** The rule that decided; of an entry that is left out by its name. */
  readonly rule?: DecidingRule;
  /** What set the limit; of one that is left out by what it is. */
  readonly origin?: RuleOrigin;
}

const COMMAND_LINE: RuleOrigin = Object.freeze({ kind: 'command line' });
const DEFAULT: RuleOrigin = Object.freeze({ kind: 'default' });

/**
 * The selection of the root directory, before its ignore files. `files` is the effective policy of
 * the source: merged, with defaults (DEFAULT_FILES_POLICY).
 * @throws POLICY_INVALID
 */
export function createSelection(files: FilesPolicy, options: SelectionOptions = {}): Selection {
  const { request = {}, origins = {}, sourceName = '' } = options;
  checkNames(request.ignoreFileNames ?? [], 'USAGE', 'correct it');
  const blank: Selection = {
    path: '',
    pathBytes: 0,
    ignoreFileNames: [],
    skipsCacheDirectories: true,
    fileBytesMax: 0,
    isOneFileSystem: false,
    ruleLists: [],
    gitRuleLists: [],
    origins: {},
    policiesBelow: options.policiesBelow ?? new Map<string, FilesPolicy>(),
    sourceName,
    request,
  };
  return applyPolicy(blank, files, origins);
}

/** The selection of a child directory, before its ignore files. @throws POLICY_INVALID */
export function enterDirectory(parent: Selection, name: Uint8Array): Selection {
  const path = `${parent.path}/${nameText(name)}`;
  // A file that a policy names twice is read twice in the policy's own directory, once below it.
  const ignoreFileNames = [...new Set(parent.ignoreFileNames)];
  const pathBytes = parent.pathBytes + name.length + 1;
  const child = { ...parent, path, pathBytes, ignoreFileNames };
  const policy = parent.policiesBelow.get(child.path.slice(1));
  if (policy === undefined) return child;
  const origin = { kind: 'policy', target: `${parent.sourceName}${path}` } as const;
  return applyPolicy(child, policy, {
    ignore: origin,
    maxFileSize: origin,
    oneFileSystem: origin,
    ignoreCacheDirs: origin,
  });
}

/**
 * A policy that is defined for a directory replaces names of ignore files, oneFileSystem and
 * ignoreCacheDirs even where it does not mention them; the size limit is inherited; rules add up.
 */
function applyPolicy(selection: Selection, policy: FilesPolicy, origins: Origins): Selection {
  checkNames(policy.ignoreDotFiles ?? [], 'POLICY_INVALID', 'correct the policy');
  const { request } = selection;
  const lines = (policy.ignore ?? []).map(rule => ({ text: new Uint8Array(Buffer.from(rule)) }));
  const asked = request.fileBytesMax || Number.POSITIVE_INFINITY;
  const allowed = policy.maxFileSize || selection.fileBytesMax || Number.POSITIVE_INFINITY;
  const sizeOrigin = policy.maxFileSize ? origins.maxFileSize : selection.origins.maxFileSize;
  const fileBytesMax = Math.min(asked, allowed);
  return withRules(
    {
      ...selection,
      ignoreFileNames: request.storesIgnoredFiles ? [] : (policy.ignoreDotFiles ?? []),
      skipsCacheDirectories:
        request.storesCacheDirectories !== true && (policy.ignoreCacheDirs ?? true),
      fileBytesMax: Number.isFinite(fileBytesMax) ? fileBytesMax : 0,
      isOneFileSystem: request.isOneFileSystem === true || (policy.oneFileSystem ?? false),
      origins: {
        maxFileSize: asked < allowed ? COMMAND_LINE : sizeOrigin,
        oneFileSystem: request.isOneFileSystem ? COMMAND_LINE : origins.oneFileSystem,
        ignoreCacheDirs: policy.ignoreCacheDirs ? origins.ignoreCacheDirs : DEFAULT,
      },
    },
    lines,
    origins.ignore ?? DEFAULT,
  );
}

function checkNames(
  names: readonly string[],
  code: 'USAGE' | 'POLICY_INVALID',
  advice: string,
): void {
  const wrong = names.find(name => name === '' || name.includes('/'));
  if (wrong === undefined) return;
  const message = `cannot use ignore file ${JSON.stringify(wrong)}: only a name will do`;
  throw new EngineError(code, `${message}, and no path; ${advice}`);
}

/** Adds the rules of one ignore file of this directory. @throws POLICY_INVALID, LIMIT_EXCEEDED */
export function withIgnoreFile(
  selection: Selection,
  text: Uint8Array,
  name = '.kopiaignore',
): Selection {
  return withRules(selection, ignoreFileLines(text), ignoreFileOrigin(selection, name));
}

/** The same for a file in git's language, which refuses no line. @throws LIMIT_EXCEEDED */
export function withGitIgnoreFile(selection: Selection, text: Uint8Array, name: string): Selection {
  const list = gitIgnoreRules(text, ignoreFileOrigin(selection, name), selection.pathBytes);
  if (list.rules.length === 0) return selection;
  return { ...selection, gitRuleLists: [...selection.gitRuleLists, list] };
}

/** Names of the ignore files in git's language; one that kopia reads as well is kopia's. */
export function gitIgnoreFileNames({ request, ignoreFileNames }: Selection): string[] {
  return (request.ignoreFileNames ?? []).filter(name => !ignoreFileNames.includes(name));
}

function ignoreFileOrigin({ path }: Selection, name: string): RuleOrigin {
  return { kind: 'ignore file', path: `${path}/${name}`.slice(1) };
}

function withRules(
  selection: Selection,
  lines: readonly (Pick<IgnoreLine, 'text'> & { readonly number?: number })[],
  origin: RuleOrigin,
): Selection {
  if (lines.length === 0) return selection;
  const rules = lines.map(({ text, number }) => parseIgnorePattern(text, selection.path, number));
  return { ...selection, ruleLists: [...selection.ruleLists, { origin, rules }] };
}

/** True when nothing in this directory can be left out by what it is. */
export function isUnrestricted(selection: Selection): boolean {
  return selection.fileBytesMax === 0 && !selection.isOneFileSystem;
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
  const { fileBytesMax, isOneFileSystem, origins } = selection;
  if (fileBytesMax > 0 && stat.type !== ENTRY_TYPE.directory && stat.size > fileBytesMax) {
    return { reason: 'too large', origin: origins.maxFileSize };
  }
  if (!isOneFileSystem || stat.isOnDeviceOf(directory)) return undefined;
  return { reason: 'other file system', origin: origins.oneFileSystem };
}
