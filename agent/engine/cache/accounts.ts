// What each repository has in the cache, by kind, and what it may have: a floor that others cannot
// take from it, a ceiling that it does not get above, and whether it is an orphan, deleted or long
// not visited, which goes first and completely.

import type { RepositoryKey } from './blob-key.ts';
import { EngineError } from '#engine/base/errors.ts';
import { ENTRY_KINDS } from './entry-table.ts';
import { textOfKey } from './key-text.ts';
import type { RepositoryNote } from './notes-format.ts';

export interface RepositoryBounds {
  /** Bytes that entries of other repositories never push out. */
  readonly floorBytes?: number;
  /** Bytes beyond which only its own entries make room for it. */
  readonly ceilingBytes?: number;
}

export interface Account {
  readonly key: RepositoryKey;
  /** By the index of the kind. */
  readonly bytes: number[];
  entries: number;
  /** On their way to the disk; count for the ceiling. */
  storingBytes: number;
  bounds: RepositoryBounds;
  /** Deleted, or not visited for too long. */
  isOrphan: boolean;
  /** Until somebody opens it anew. */
  isDeleted: boolean;
  /** How long nobody has used it, as far as that is known (repository-age.ts). */
  unvisitedMs: number;
  /** Whether it was used or had entries in this life of the cache. */
  isLive: boolean;
  /** For people; unknown for what was found on disk and never noted. */
  name: string | undefined;
}

/** Numbers of repositories stand in 16 bits of an entry. */
export const REPOSITORIES_MAX = 65_535;

export class Accounts {
  readonly #accounts: Account[] = [];
  readonly #indexes = new Map<string, number>();

  /** The number of a repository, which it keeps. */
  indexOf(key: RepositoryKey): number {
    const text = textOfKey(key);
    const known = this.#indexes.get(text);
    if (known !== undefined) return known;
    const index = this.#accounts.length;
    if (index >= REPOSITORIES_MAX) {
      throw new EngineError('LIMIT_EXCEEDED', 'the cache has entries of too many repositories');
    }
    const bytes = ENTRY_KINDS.map(() => 0);
    this.#accounts.push({
      key,
      bytes,
      entries: 0,
      storingBytes: 0,
      bounds: {},
      isOrphan: false,
      isDeleted: false,
      unvisitedMs: 0,
      isLive: false,
      name: undefined,
    });
    this.#indexes.set(text, index);
    return index;
  }

  get(index: number): Account {
    return this.#accounts[index];
  }

  all(): readonly Account[] {
    return this.#accounts;
  }

  /** Somebody opens it: from now on it is no orphan. */
  visit(index: number, name: string, bounds: RepositoryBounds): void {
    const fresh = { isOrphan: false, isDeleted: false, unvisitedMs: 0, isLive: true };
    Object.assign(this.#accounts[index], { name, bounds, ...fresh });
  }

  /** Somebody who has opened it uses it; of one that was deleted since, in vain. */
  touch(index: number): void {
    const account = this.#accounts[index];
    account.unvisitedMs = 0;
    if (!account.isDeleted) account.isOrphan = false;
  }

  /** The repository is no more. */
  markDeleted(index: number): void {
    Object.assign(this.#accounts[index], { isDeleted: true, isOrphan: true });
  }

  /** Time goes by. Gives those that became orphans by it. */
  age(passedMs: number, unvisitedMsMax: number): readonly Account[] {
    const orphaned: Account[] = [];
    for (const account of this.#accounts) {
      account.unvisitedMs += passedMs;
      if (account.isOrphan || account.unvisitedMs <= unvisitedMsMax) continue;
      account.isOrphan = true;
      orphaned.push(account);
    }
    return orphaned;
  }

  /** What an earlier life has noted; of those that were used meanwhile it is of no interest. */
  recall(notes: readonly RepositoryNote[], pauseMs: number): void {
    for (const { key, name, unvisitedMs, isDeleted } of notes) {
      const account = this.#accounts[this.indexOf(key)];
      if (account.isLive) continue;
      const isOrphan = account.isOrphan || isDeleted;
      Object.assign(account, { name, unvisitedMs: unvisitedMs + pauseMs, isDeleted, isOrphan });
    }
  }

  /** What is worth noting for the next life. */
  notes(isRecovered: boolean): RepositoryNote[] {
    return this.#accounts.filter(({ isLive }) => isLive || !isRecovered);
  }

  add(index: number, kind: number, bytes: number): void {
    const account = this.#accounts[index];
    account.bytes[kind] += bytes;
    account.entries++;
    account.isLive = true;
  }

  remove(index: number, kind: number, bytes: number): void {
    const account = this.#accounts[index];
    account.bytes[kind] -= bytes;
    account.entries--;
    if (account.bytes[kind] < 0 || account.entries < 0) {
      throw new EngineError('INTERNAL', 'the account of a repository does not add up');
    }
  }

  /** An orphan that has something. */
  orphan(): number | undefined {
    const index = this.#accounts.findIndex(({ isOrphan, entries }) => isOrphan && entries > 0);
    return index < 0 ? undefined : index;
  }

  orphanedBytes(): number {
    return this.#accounts.reduce((sum, each) => sum + (each.isOrphan ? totalOf(each) : 0), 0);
  }

  /** Whether another repository may push `bytes` of this one out. */
  isAboveFloor(index: number, bytes: number): boolean {
    const account = this.#accounts[index];
    const { floorBytes = 0 } = account.bounds;
    return floorBytes === 0 || totalOf(account) - bytes >= floorBytes;
  }

  /** Whether `bytes` could be had if all entries of it went. */
  isWithinCeiling(index: number, bytes: number): boolean {
    const { bounds, storingBytes } = this.#accounts[index];
    return bounds.ceilingBytes === undefined || storingBytes + bytes <= bounds.ceilingBytes;
  }

  /** Whether `bytes` more would bring it above its ceiling. */
  isAtCeiling(index: number, bytes: number): boolean {
    const account = this.#accounts[index];
    const { ceilingBytes } = account.bounds;
    if (ceilingBytes === undefined) return false;
    return totalOf(account) + account.storingBytes + bytes > ceilingBytes;
  }
}

export function totalOf({ bytes }: Pick<Account, 'bytes'>): number {
  return bytes.reduce((sum, each) => sum + each, 0);
}
