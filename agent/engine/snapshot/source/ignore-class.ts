// Character classes of ignore patterns as Go's unicode package defines them (kopia
// internal/wcmatch/wcmatch.go). Both sides know a version of Unicode; they agree but for characters
// younger than the older of the two.

/** What matches one character, in the language of RegExp. */
const CLASSES = Object.freeze({
  alnum: '[\\p{L}\\p{Nd}]',
  alpha: '\\p{L}',
  ascii: '[\\0-\\x7f]',
  blank: '[\\p{Zs}\\t]',
  cntrl: '\\p{Cc}',
  digit: '\\p{Nd}',
  graph: '[\\p{L}\\p{M}\\p{N}\\p{P}\\p{S}\\p{Zs}]',
  lower: '\\p{Ll}',
  print: '[\\p{L}\\p{M}\\p{N}\\p{P}\\p{S} ]',
  punct: '[\\p{P}\\p{S}]',
  space: '[\\t-\\r \\u0085\\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]',
  upper: '\\p{Lu}',
  xdigit: '[A-Fa-f\\p{Nd}]',
});

export type ClassName = keyof typeof CLASSES;

/** The class of that name, if there is one. */
export function characterClass(name: string): ClassName | undefined {
  return Object.hasOwn(CLASSES, name) ? (name as ClassName) : undefined; // hasOwn has just said so
}

/** Those that were asked for: to make all of them takes each thread more than a millisecond. */
const made = new Map<ClassName, RegExp>();

export function isInClass(point: number, className: ClassName): boolean {
  const known = made.get(className);
  const expression = known ?? new RegExp(`^${CLASSES[className]}$`, 'u');
  if (known === undefined) made.set(className, expression);
  return expression.test(String.fromCodePoint(point));
}

/** unicode.IsSpace, which differs from what String.trim removes in U+0085 and U+FEFF. */
export function isGoSpace(point: number): boolean {
  return point <= 0x20
    ? point === 0x20 || (point >= 0x09 && point <= 0x0d)
    : point >= 0x85 && isInClass(point, 'space');
}
