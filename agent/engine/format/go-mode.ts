// Permission bits as Go's os.FileMode numbers them, in octal: that is how they stand in directories
// (kopia snapshot/manifest.go Permissions, fs/entry.go ModBits). Type bits are not among them.

const SETUID = 0o4000;
const SETGID = 0o2000;
const STICKY = 0o1000;
const GO_SETUID = 1 << 23;
const GO_SETGID = 1 << 22;
const GO_STICKY = 1 << 20;
const PERMISSIONS = 0o777;
const POSIX_BITS = 0o7777;
const INT32_MAX = 2 ** 31 - 1;

// Go's strconv.ParseInt with base 0: the prefix tells the base, underscores separate digits.
const LITERALS: readonly [pattern: RegExp, base: number][] = [
  [/^0[0-7]*$/, 8],
  [/^0[oO]([0-7]+)$/, 8],
  [/^([1-9]\d*)$/, 10],
  [/^0[xX]([0-9a-fA-F]+)$/, 16],
  [/^0[bB]([01]+)$/, 2],
];

/** `040000755` for 04755; '' for 0, which directories leave out. */
export function formatGoMode(posixMode: number): string {
  return TEXTS[posixMode & POSIX_BITS];
}

/**
 * st_mode & 07777 of a mode as it stands in a directory; bits without a counterpart are dropped.
 * @returns undefined when kopia could not read it either
 */
export function parseGoMode(text: string): number | undefined {
  const known = MODES.get(text);
  if (known !== undefined) return known;
  const digits = text.replaceAll('_', '');
  for (const [pattern, base] of LITERALS) {
    const match = pattern.exec(digits);
    if (match === null) continue;
    const mode = parseInt(match[1] ?? match[0], base);
    return mode > INT32_MAX ? undefined : posixModeOf(mode);
  }
  return undefined;
}

function goModeOf(posixMode: number): number {
  return (
    (posixMode & PERMISSIONS) |
    (posixMode & SETUID ? GO_SETUID : 0) |
    (posixMode & SETGID ? GO_SETGID : 0) |
    (posixMode & STICKY ? GO_STICKY : 0)
  );
}

/** st_mode & 07777 of a mode as Go numbers it. */
export function posixModeOf(goMode: number): number {
  return (
    (goMode & PERMISSIONS) |
    (goMode & GO_SETUID ? SETUID : 0) |
    (goMode & GO_SETGID ? SETGID : 0) |
    (goMode & GO_STICKY ? STICKY : 0)
  );
}

// A million entries have a dozen modes between them: tables for all 4,096 of them.
const TEXTS: readonly string[] = Array.from({ length: POSIX_BITS + 1 }, (_, mode) =>
  mode === 0 ? '' : `0${goModeOf(mode).toString(8)}`,
);
const MODES: ReadonlyMap<string, number> = new Map(TEXTS.slice(1).map((text, i) => [text, i + 1]));
