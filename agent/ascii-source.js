// Part of the build: its output in ASCII. V8 keeps the source of what it runs, in two bytes for
// each character as soon as one of them is beyond Latin-1. In strings esbuild escapes those; what
// is left stands in comments, and in regular expressions, which it leaves as they are.

const BEYOND = /\P{ASCII}/u;
/** What such a line begins with, or what stands before the first of them. */
const IN_COMMENT = /^\s*(?:\/?\*|\(\*!)|\/\//;

/** @throws when one stands in code, which would mean something else without it */
export function asciiSource(text) {
  return text
    .split('\n')
    .map(line => (BEYOND.test(line) ? asciiLine(line) : line))
    .join('\n');
}

function asciiLine(line) {
  const before = line.slice(0, line.search(BEYOND));
  if (!IN_COMMENT.test(before)) throw new Error(`build: escape what is not ASCII in: ${line}`);
  return line.replace(new RegExp(BEYOND, 'gu'), '?');
}
