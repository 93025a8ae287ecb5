// Which entries of one directory are left out by their names: kopia's rules first, as kopia asks
// them; then git's, of ignore files from the top down and of the command line. Deeper and later
// rules may take back what earlier ones said; a rule is asked only when it could change the
// verdict, which for git's "the last that matches decides" comes to the same.

import { matchesGitPattern, type GitPath } from './git-match.ts';
import type { GitRuleList } from './git-rules.ts';
import { patternVerdict } from './ignore-match.ts';
import type { DecidingRule } from './rule-origin.ts';
import type { Exclusion, Selection } from './selection.ts';
import { nameText } from './source-name.ts';

export interface NameVerdict {
  readonly isExcluded: boolean;
  /** What decided; of an entry that is stored, the rule that took back another. */
  readonly rule: DecidingRule | undefined;
}

const NOTHING: NameVerdict = Object.freeze({ isExcluded: false, rule: undefined });

export class NameRules {
  readonly #selection: Selection;
  readonly #gitLists: readonly GitRuleList[];
  /** Path of the directory as bytes, with a slash at its end; empty at the top. */
  readonly #directory: Uint8Array;

  /**
   * @param excludes of the whole backup
   * @param names that lead from the top to the directory; only git's rules look at them
   */
  constructor(
    selection: Selection,
    excludes: readonly GitRuleList[] = [],
    names: readonly Uint8Array[] = [],
  ) {
    this.#selection = selection;
    this.#gitLists = [...selection.gitRuleLists, ...excludes];
    this.#directory = this.#gitLists.length === 0 ? NO_BYTES : directoryPath(names);
  }

  /** Whether every name is stored. */
  get isEmpty(): boolean {
    return this.#gitLists.length === 0 && this.#selection.ruleLists.length === 0;
  }

  exclusionOf(name: Uint8Array, isDirectory: boolean): Exclusion | undefined {
    if (this.isEmpty) return undefined;
    const { isExcluded, rule } = this.verdict(name, isDirectory);
    return isExcluded ? { reason: 'ignored', rule } : undefined;
  }

  verdict(name: Uint8Array, isDirectory: boolean): NameVerdict {
    return this.#askGit(this.#askKopia(name, isDirectory), name, isDirectory);
  }

  #askKopia(name: Uint8Array, isDirectory: boolean): NameVerdict {
    const { ruleLists, path: directory } = this.#selection;
    if (ruleLists.length === 0) return NOTHING;
    const text = `${directory}/${nameText(name)}`;
    const path = Array.from(text, character => character.codePointAt(0) ?? 0);
    let verdict = NOTHING;
    for (const { rules, origin } of ruleLists) {
      for (const rule of rules) {
        if (rule.isNegated !== verdict.isExcluded) continue;
        const isExcluded = patternVerdict(rule, path, isDirectory);
        if (isExcluded === verdict.isExcluded) continue;
        verdict = { isExcluded, rule: { pattern: rule.text, origin, line: rule.line } };
      }
    }
    return verdict;
  }

  #askGit(before: NameVerdict, name: Uint8Array, isDirectory: boolean): NameVerdict {
    let verdict = before;
    let path: Omit<GitPath, 'baseBytes'> | undefined;
    for (const { rules, origin, baseBytes } of this.#gitLists) {
      for (const rule of rules) {
        if (rule.isNegated !== verdict.isExcluded) continue;
        path ??= { bytes: joined(this.#directory, name), nameStart: this.#directory.length };
        if (!matchesGitPattern(rule, { ...path, baseBytes }, isDirectory)) continue;
        const isExcluded = !rule.isNegated;
        verdict = { isExcluded, rule: { pattern: rule.text, origin, line: rule.line } };
      }
    }
    return verdict;
  }
}

const NO_BYTES = new Uint8Array(0);
const SLASH = 0x2f;

function directoryPath(names: readonly Uint8Array[]): Uint8Array {
  const length = names.reduce((sum, name) => sum + name.length + 1, 0);
  const path = new Uint8Array(length);
  let at = 0;
  for (const name of names) {
    path.set(name, at);
    at += name.length;
    path[at++] = SLASH;
  }
  return path;
}

function joined(directory: Uint8Array, name: Uint8Array): Uint8Array {
  const path = new Uint8Array(directory.length + name.length);
  path.set(directory);
  path.set(name, directory.length);
  return path;
}
