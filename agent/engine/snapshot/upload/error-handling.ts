// Which errors of the source a policy wants passed over (kopia snapshot/policy
// error_handling_policy.go). An error that is passed over is counted and named all the same; it
// only does not make the snapshot a failed one.

/** What kind of entry failed, as kopia tells them apart (snapshot/upload/upload.go). */
export type FailedKind = 'file' | 'directory' | 'unknown type';

export interface ErrorHandling {
  readonly ignoresFileErrors: boolean;
  readonly ignoresDirectoryErrors: boolean;
  /** kopia's default; such entries are then not even counted. */
  readonly ignoresUnknownTypes: boolean;
}

export interface ErrorRules {
  readonly root: ErrorHandling;
  /** Where policies of directories below differ, by path from the root: `a/b`. */
  readonly below: ReadonlyMap<string, ErrorHandling>;
}

/** What holds for the entry at `path`: the policy of the nearest directory that has one. */
export function errorHandlingAt({ root, below }: ErrorRules, path: string): ErrorHandling {
  if (below.size === 0) return root;
  for (let at = path; at !== ''; at = at.slice(0, Math.max(0, at.lastIndexOf('/')))) {
    const found = below.get(at);
    if (found !== undefined) return found;
  }
  return root;
}

export function isIgnored(handling: ErrorHandling, kind: FailedKind): boolean {
  if (kind === 'file') return handling.ignoresFileErrors;
  return kind === 'directory' ? handling.ignoresDirectoryErrors : handling.ignoresUnknownTypes;
}
