// What the layers above ask of the contents of a repository when they read.

export interface ContentEntry {
  readonly contentId: string;
  readonly packId: string;
  readonly packOffset: number;
  /** Length in the pack, sealed. */
  readonly packedBytes: number;
  /** Length of the plaintext before compression. */
  readonly originalBytes: number;
  /** 0 when not compressed (kopia-format.md 8.3). */
  readonly compressionId: number;
  readonly formatVersion: number;
  readonly timestampSeconds: number;
  readonly isDeleted: boolean;
}

export interface ContentReadOptions {
  readonly signal?: AbortSignal;
}

export interface ManyReadOptions extends ContentReadOptions {
  /**
   * The bytes of a content are the caller's only until it asks for the next one, and are given back
   * then. For who looks at much and keeps nothing: else it waits for a collection, which looks at
   * memory outside V8's heap seldom.
   */
  readonly areLent?: boolean;
}

export interface ContentRead {
  readonly contentId: string;
  readonly bytes: Uint8Array;
}

/** A content as it lies in its pack, and what it takes to open it (workers/content-opener.ts). */
export interface SealedRead {
  readonly contentId: string;
  /** The caller's to keep and to open in place. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly key: Uint8Array;
  readonly originalBytes: number;
  readonly compressionId: number;
}

/** Reading for somebody who opens and checks contents elsewhere. Ends as ContentSource does. */
export interface SealedSource {
  find(contentId: string): ContentEntry | undefined;

  /** @throws CONTENT_NOT_FOUND, PACK_MISSING, PACK_DAMAGED */
  readSealed(contentId: string, options?: ContentReadOptions): Promise<SealedRead>;

  readManySealed(
    contentIds: Iterable<string> | AsyncIterable<string>,
    options?: ContentReadOptions,
  ): AsyncIterable<SealedRead>;

  /**
   * Told that a content was damaged when it was opened: what a cache has of its pack goes.
   * @returns whether it may be sound when it is read again
   */
  forgetDamaged(contentId: string): Promise<boolean>;
}

/** Verified reading: nothing leaves it whose tag, hash and length were not checked. */
export interface ContentSource {
  /** The entry that counts for `contentId`; deleted but not yet dropped ones included. */
  find(contentId: string): ContentEntry | undefined;

  /** All entries in key order, or those of one prefix letter; deleted ones included. */
  entries(prefix?: string): Iterable<ContentEntry>;

  /**
   * The plaintext of one content, the caller's to keep. On a missing pack or content the index is
   * refreshed once before giving up, since maintenance may have moved it.
   * @throws CONTENT_NOT_FOUND, PACK_MISSING, CONTENT_DAMAGED
   */
  read(contentId: string, options?: ContentReadOptions): Promise<Uint8Array>;

  /**
   * The plaintexts of many contents, each once, in an order that suits the packs: neighbours are
   * fetched with one range. At most a fixed number of bytes is in memory ahead of the consumer.
   */
  readMany(
    contentIds: Iterable<string> | AsyncIterable<string>,
    options?: ManyReadOptions,
  ): AsyncIterable<ContentRead>;
}
