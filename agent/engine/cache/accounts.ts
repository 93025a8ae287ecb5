// What each repository has in the cache, by kind, and what it may have: a floor that others cannot
// take from it, a ceiling that it does not get above, and whether it is an orphan, which goes first
// and completely.

import type { RepositoryKey } from './blob-key.ts';
import { EngineError } from '#engine/base/errors.ts';
import { ENTRY_KINDS } from './entry-table.ts';

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
  bounds: RepositoryBounds;
  isOrphan: boolean;
  /** For people; unknown for what was found on disk and not opened since. */
  name: string | undefined;
}

/** Numbers of repositories stand in 16 bits of an entry. */
export const REPOSITORIES_MAX = 65_535;

export class Accounts {
  readonly #accounts: Account[] = [];
  readonly #indexes = new Map<string, number>();

  /** The number of a repository, which it keeps. */
  indexOf(key: RepositoryKey): number {
    const text = `${key.a}:${key.b}`;
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
      bounds: {},
      isOrphan: false,
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

  add(index: number, kind: number, bytes: number): void {
    const account = this.#accounts[index];
    account.bytes[kind] += bytes;
    account.entries++;
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

  /** Whether `bytes` more would bring it above its ceiling. */
  isAtCeiling(index: number, bytes: number): boolean {
    const account = this.#accounts[index];
    const { ceilingBytes } = account.bounds;
    return ceilingBytes !== undefined && totalOf(account) + bytes > ceilingBytes;
  }
}

export function totalOf({ bytes }: Pick<Account, 'bytes'>): number {
  return bytes.reduce((sum, each) => sum + each, 0);
}
