// The words that binding-thread.ts and its starter share, by index.

export const HAS_BEGUN = 0;
/** Set by the starter: the slow definition is made. */
export const IS_MADE = 1;
/** The thread has ended by itself; nothing runs in one that is terminated. */
export const HAS_ENDED_ITSELF = 2;
export const WORDS_BYTES = 12;
