// Says whether one path would be in a snapshot and what decides: the way from the top of the source
// to it is gone with the rules of a backup, one directory at a time.

import { relative, resolve } from 'node:path';
import { equalBytes } from '#engine/base/bytes.ts';
import { EngineError, isEngineError } from '#engine/base/errors.ts';
import type { ManifestReader } from '#engine/manifest/manifest-store.ts';
import { rootOf, sourceKindOf, sourceOf, type SourceRequest } from './backup-source.ts';
import { selectionFor } from './backup-settings.ts';
import { policiesFor } from './policies.ts';
import { type ExcludeRequest, type GitRuleList, readExcludeRules } from './source/git-rules.ts';
import { openSourceFileSystem } from './source/open-source-file-system.ts';
import type { DecidingRule, RuleOrigin } from './source/rule-origin.ts';
import { NameRules } from './source/name-rules.ts';
import { listDirectory } from './source/scan-directory.ts';
import {
  enterDirectory,
  exclusionByStat,
  type Exclusion,
  type Selection,
  type SelectionRequest,
} from './source/selection.ts';
import type { SourceDirectory, SourceFileSystem } from './source/source-file-system.ts';
import { SourceListing } from './source/source-listing.ts';
import { ENTRY_TYPE, SourceStat } from './source/source-stat.ts';

/** `path` is the source, as in a backup. */
export interface ExplainRequest extends SourceRequest, ExcludeRequest, SelectionRequest {
  /** What is asked about; beneath the source. */
  readonly about: string;
}

export type Decision =
  /** Nothing speaks against it; `rule` is one that took back another. */
  | { readonly reason: 'nothing'; readonly rule?: DecidingRule }
  | { readonly reason: 'ignored'; readonly rule?: DecidingRule }
  /** A directory with a CACHEDIR.TAG is stored without what is in it. */
  | { readonly reason: 'cache directory'; readonly origin?: RuleOrigin }
  | { readonly reason: 'too large'; readonly origin?: RuleOrigin; readonly bytesMax: number }
  | { readonly reason: 'other file system'; readonly origin?: RuleOrigin }
  /** A link on the way is stored as a link; what lies behind it is stored where it is. */
  | { readonly reason: 'behind a link' }
  | { readonly reason: 'unreadable'; readonly code: string; readonly message: string };

export interface Explanation {
  readonly path: string;
  /** The source. */
  readonly source: string;
  readonly isIncluded: boolean;
  /** Of what is not there the name alone was judged. */
  readonly exists: boolean;
  /** The path itself, or the directory above it that decides. */
  readonly decidedAt: string;
  readonly decision: Decision;
}

/**
 * @throws USAGE when the path is not beneath the source, or a pattern is wrong
 * @throws SOURCE_NOT_FOUND, SOURCE_UNREADABLE, POLICY_INVALID
 */
export async function explain(
  manifests: ManifestReader,
  request: ExplainRequest,
  { signal }: { readonly signal?: AbortSignal } = {},
): Promise<Explanation> {
  const source = resolve(request.path);
  const path = resolve(request.about);
  const names = namesBelow(source, path);
  const owner = sourceOf(request);
  const { policies, effective } = await policiesFor(manifests, owner, { signal });
  const selection = selectionFor(owner, effective, policies, request);
  const excludes = await readExcludeRules(request);
  const isDirectory = (await sourceKindOf(request.path)) === 'directory';
  const root = await rootOf(request.path);
  const isAskedAsDirectory = request.about.endsWith('/');
  const way = new Way(names, selection, { excludes, isAskedAsDirectory });
  // A file that is itself the source is stored whatever the rules say.
  const { depth, ...end } = isDirectory ? way.go(root) : { ...ARRIVED, depth: 0 };
  const decidedAt = resolve(source, ...names.slice(0, depth).map(String));
  return { path, source, ...end, decidedAt };
}

function namesBelow(root: string, path: string): Buffer[] {
  const below = relative(root, path);
  if (below === '') return [];
  const names = below.split('/');
  if (names[0] !== '..') return names.map(name => Buffer.from(name));
  throw new EngineError('USAGE', `${path} is not beneath ${root}; name the source that holds it`);
}

type End = Pick<Explanation, 'decision' | 'isIncluded' | 'exists'>;

const NOTHING: Decision = Object.freeze({ reason: 'nothing' });
const ARRIVED: End = Object.freeze({ decision: NOTHING, isIncluded: true, exists: true });

interface WayRules {
  readonly excludes: readonly GitRuleList[];
  /** Of what is not there: whether it would be a directory. */
  readonly isAskedAsDirectory: boolean;
}

class Way {
  readonly #fileSystem: SourceFileSystem = openSourceFileSystem();
  readonly #names: readonly Uint8Array[];
  readonly #rules: WayRules;
  readonly #listing = new SourceListing();
  readonly #stat = new SourceStat();
  readonly #directoryStat = new SourceStat();
  #selection: Selection;
  /** Undefined behind what does not exist. */
  #directory: SourceDirectory | undefined;

  constructor(names: readonly Uint8Array[], selection: Selection, rules: WayRules) {
    this.#names = names;
    this.#selection = selection;
    this.#rules = rules;
  }

  go(root: Uint8Array): End & { readonly depth: number } {
    const opened: SourceDirectory[] = [this.#fileSystem.openRoot(root, { followsLinks: true })];
    let end = ARRIVED;
    try {
      for (let depth = 0; depth < this.#names.length; depth++) {
        this.#directory = end.exists ? opened.at(-1) : undefined;
        const isCache = this.#enter();
        if (isCache !== undefined) return { ...isCache, depth };
        end = this.#pass(depth);
        if (!end.isIncluded) return { ...end, depth: depth + 1 };
        this.#selection = enterDirectory(this.#selection, this.#names[depth]);
        const child = this.#openNext(depth, end.exists);
        if (child !== undefined && !(child instanceof EngineError)) opened.push(child);
        if (child instanceof EngineError)
          return { ...leftOut(unreadable(child)), depth: depth + 1 };
      }
      // A directory is left out, too, when what it says about its own entries cannot be used.
      this.#directory = opened.at(this.#names.length);
      this.#enter();
      return { ...end, depth: this.#names.length };
    } catch (error) {
      if (!isEngineError(error, 'SOURCE_UNREADABLE')) throw error;
      return { ...leftOut(unreadable(error)), depth: opened.length - 1 };
    } finally {
      for (const directory of opened) directory[Symbol.dispose]();
    }
  }

  /** Reads what the directory says about itself; the end of the way when it is a cache. */
  #enter(): End | undefined {
    if (this.#directory === undefined) return undefined;
    this.#fileSystem.statOpen(this.#directory, this.#directoryStat);
    const { selection, isCache } = listDirectory({
      fileSystem: this.#fileSystem,
      directory: this.#directory,
      directoryStat: this.#directoryStat,
      selection: this.#selection,
      listing: this.#listing,
      stat: this.#stat,
    });
    this.#selection = selection;
    const origin = selection.origins.ignoreCacheDirs;
    return isCache ? leftOut({ reason: 'cache directory', origin }) : undefined;
  }

  /** What becomes of the name at `depth`, as far as its own directory decides. */
  #pass(depth: number): End {
    const name = this.#names[depth];
    const isLast = depth === this.#names.length - 1;
    const index = this.#directory === undefined ? -1 : indexOf(this.#listing, name);
    const type = index === -1 ? ENTRY_TYPE.unknown : this.#listing.typeAt(index);
    const isAssumed = index === -1 && (!isLast || this.#rules.isAskedAsDirectory);
    const isDirectory = type === ENTRY_TYPE.directory || isAssumed;
    const { excludes } = this.#rules;
    const rules = new NameRules(this.#selection, excludes, this.#names.slice(0, depth));
    const { isExcluded, rule } = rules.verdict(name, isDirectory);
    const exists = index !== -1;
    if (isExcluded) return { decision: { reason: 'ignored', rule }, isIncluded: false, exists };
    const decision: Decision = { reason: 'nothing', ...(rule === undefined ? {} : { rule }) };
    const byName: End = { decision, isIncluded: true, exists };
    if (this.#directory === undefined || !exists) return byName;
    if (!isLast && type === ENTRY_TYPE.symlink) return leftOut({ reason: 'behind a link' });
    this.#fileSystem.statAt(this.#directory, this.#listing, index, this.#stat);
    const exclusion = exclusionByStat(this.#selection, this.#stat, this.#directoryStat);
    return exclusion === undefined ? byName : leftOut(this.#decisionOf(exclusion));
  }

  #decisionOf({ reason, rule, origin }: Exclusion): Decision {
    if (reason === 'ignored') return { reason, rule };
    if (reason === 'other file system') return { reason, origin };
    return { reason, origin, bytesMax: this.#selection.fileBytesMax };
  }

  /** Opens what a backup would open; an error when it may not. */
  #openNext(depth: number, exists: boolean): SourceDirectory | EngineError | undefined {
    const directory = this.#directory;
    if (directory === undefined || !exists) return undefined;
    const index = indexOf(this.#listing, this.#names[depth]);
    const type = this.#listing.typeAt(index);
    try {
      if (type === ENTRY_TYPE.directory) {
        return this.#fileSystem.openDirectory(directory, this.#listing, index);
      }
      if (type === ENTRY_TYPE.file) {
        this.#fileSystem.openFile(directory, this.#listing, index)[Symbol.dispose]();
      }
      return undefined;
    } catch (error) {
      if (isEngineError(error)) return error;
      throw error;
    }
  }
}

function leftOut(decision: Decision): End {
  return { decision, isIncluded: false, exists: true };
}

function unreadable({ code, message }: EngineError): Decision {
  return { reason: 'unreadable', code, message };
}

function indexOf(listing: SourceListing, name: Uint8Array): number {
  return listing.order.find(index => equalBytes(listing.nameAt(index), name)) ?? -1;
}
