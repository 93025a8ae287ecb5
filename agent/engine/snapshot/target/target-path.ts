// Paths out of names, in time that grows with their length and not with its square.

const SLASH = 0x2f;

/** `path/name/name/…`; no second slash behind `/`, none at all before the first name of no path. */
export function joinNames(path: Uint8Array | undefined, names: readonly Uint8Array[]): Uint8Array {
  const start = path ?? new Uint8Array(0);
  const joined = new Uint8Array(names.reduce((sum, { length }) => sum + length + 1, start.length));
  joined.set(start);
  let at = start.length;
  for (const name of names) {
    if (at > 0 && joined[at - 1] !== SLASH) joined[at++] = SLASH;
    joined.set(name, at);
    at += name.length;
  }
  return joined.subarray(0, at);
}
