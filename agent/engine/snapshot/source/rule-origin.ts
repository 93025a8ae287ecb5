// Where a rule of a selection comes from, so that an outcome can name it.

export type RuleOrigin =
  /** Typed with the backup; `file` where the pattern stands in a file that was named. */
  | { readonly kind: 'command line'; readonly file?: string }
  /** A policy of the repository, as kopia writes its target: `(global)`, `user@host:/path`. */
  | { readonly kind: 'policy'; readonly target: string }
  /** An ignore file in the source, by its path from there. */
  | { readonly kind: 'ignore file'; readonly path: string }
  /** What holds when nobody says anything else. */
  | { readonly kind: 'default' };

/** A rule that has decided something. */
export interface DecidingRule {
  /** As it was written. */
  readonly pattern: string;
  readonly origin: RuleOrigin;
  /** Of a file, from 1. */
  readonly line?: number;
}
