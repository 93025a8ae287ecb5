// Character classes of ignore patterns as Go's unicode package defines them (kopia
// internal/wcmatch/wcmatch.go). Both sides know a version of Unicode; they agree but for characters
// younger than the older of the two.

const CLASSES = Object.freeze({
  alnum: /^[\p{L}\p{Nd}]$/u,
  alpha: /^\p{L}$/u,
  ascii: /^[\0-\x7f]$/u,
  blank: /^[\p{Zs}\t]$/u,
  cntrl: /^\p{Cc}$/u,
  digit: /^\p{Nd}$/u,
  graph: /^[\p{L}\p{M}\p{N}\p{P}\p{S}\p{Zs}]$/u,
  lower: /^\p{Ll}$/u,
  print: /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]$/u,
  punct: /^[\p{P}\p{S}]$/u,
  space: /^[\t-\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]$/u,
  upper: /^\p{Lu}$/u,
  xdigit: /^[A-Fa-f\p{Nd}]$/u,
});

export type ClassName = keyof typeof CLASSES;

/** The class of that name, if there is one. */
export function characterClass(name: string): ClassName | undefined {
  return Object.hasOwn(CLASSES, name) ? (name as ClassName) : undefined; // hasOwn has just said so
}

export function isInClass(point: number, className: ClassName): boolean {
  return CLASSES[className].test(String.fromCodePoint(point));
}

/** unicode.IsSpace, which differs from what String.trim removes in U+0085 and U+FEFF. */
export function isGoSpace(point: number): boolean {
  return point <= 0x20
    ? point === 0x20 || (point >= 0x09 && point <= 0x0d)
    : point >= 0x85 && isInClass(point, 'space');
}
