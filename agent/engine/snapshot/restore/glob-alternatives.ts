// `{a,b}` in a glob: one text for each choice, as a shell makes them. A brace without a comma or
// without its end is a character, and so is one behind a backslash.

import { EngineError } from '#engine/base/errors.ts';

/** Texts that the braces of one glob may come to. */
export const GLOB_ALTERNATIVES_MAX = 1000;
/** Length of a glob. Braces are searched for their ends, and choices for braces. */
export const GLOB_CHARACTERS_MAX = 4096;

/** @throws USAGE when there are too many */
export function alternativesOf(glob: string): string[] {
  if (glob.length > GLOB_CHARACTERS_MAX) {
    throw refusal(glob, `it has more than ${GLOB_CHARACTERS_MAX} characters; make several of it`);
  }
  for (let open = 0; open < glob.length; open++) {
    if (glob[open] === '\\') open++;
    else if (glob[open] === '{') {
      const group = groupAt(glob, open);
      if (group === undefined) continue;
      const before = glob.slice(0, open);
      const rest = alternativesOf(glob.slice(group.end));
      const choices = group.choices.flatMap(alternativesOf);
      if (choices.length * rest.length > GLOB_ALTERNATIVES_MAX) {
        const text = `its braces stand for more than ${GLOB_ALTERNATIVES_MAX} globs; name fewer`;
        throw refusal(glob, text);
      }
      return choices.flatMap(choice => rest.map(after => `${before}${choice}${after}`));
    }
  }
  return [glob];
}

/** The choices of the brace at `open`, and where the text goes on behind it. */
function groupAt(
  glob: string,
  open: number,
): { readonly choices: readonly string[]; readonly end: number } | undefined {
  const choices: string[] = [];
  let start = open + 1;
  let depth = 1;
  for (let at = start; at < glob.length; at++) {
    const character = glob[at];
    if (character === '\\') at++;
    else if (character === '{') depth++;
    else if (character === ',' && depth === 1) {
      choices.push(glob.slice(start, at));
      start = at + 1;
    } else if (character === '}' && --depth === 0) {
      if (choices.length === 0) return undefined;
      return { choices: [...choices, glob.slice(start, at)], end: at + 1 };
    }
  }
  return undefined;
}

function refusal(glob: string, why: string): EngineError {
  const shown = JSON.stringify(glob.length > 100 ? `${glob.slice(0, 100)}…` : glob);
  return new EngineError('USAGE', `the glob ${shown} was refused: ${why}`);
}
