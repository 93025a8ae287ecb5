// Words that may follow on a command line, from the tables of verbs alone, so that a verb or option
// that is added is completed at once. Pure; shells ask by the hidden word `__complete`.

import type { OptionRow, VerbRow } from '#engine/cli/verb.ts';

export interface Completed {
  readonly verbs: readonly VerbRow[];
  readonly globalOptions: readonly OptionRow[];
  /** First words that have options of their own, which are not known here. */
  readonly otherPrograms: readonly string[];
}

export interface Candidate {
  readonly word: string;
  readonly text: string;
}

/** @param words behind the name of the program; the last one is being typed and may be empty */
export function candidates(program: Completed, words: readonly string[]): Candidate[] {
  const typed = words.at(-1) ?? '';
  const before = words.slice(0, -1);
  const plain = plainWords(before, optionsOf(program, before));
  const verb = verbOf(program, plain);
  if (isValueOfOption(before, optionsOf(program, before))) return [];
  const found = typed.startsWith('-')
    ? optionsOf(program, before).flatMap(({ flags, text }) =>
        flagsOf(flags).map(word => ({ word, text })),
      )
    : verb === undefined
      ? nextWords(program, plain)
      : [];
  return found.filter(({ word }) => word.startsWith(typed));
}

function optionsOf(program: Completed, before: readonly string[]): readonly OptionRow[] {
  const verb = verbOf(program, plainWords(before, program.globalOptions));
  return [...(verb?.options ?? []), ...program.globalOptions];
}

/** The verb whose words all stand there. */
function verbOf({ verbs }: Completed, plain: readonly string[]): VerbRow | undefined {
  return verbs.find(({ words }) => words.every((word, index) => plain[index] === word));
}

function nextWords({ verbs, otherPrograms }: Completed, plain: readonly string[]): Candidate[] {
  const inGroup = verbs.filter(({ words }) => plain.every((word, index) => words[index] === word));
  const found = inGroup.flatMap(({ words, summary }) => {
    const word = words[plain.length];
    const isLast = words.length === plain.length + 1;
    return word === undefined ? [] : [{ word, text: isLast ? summary : '' }];
  });
  const others = plain.length === 0 ? otherPrograms.map(word => ({ word, text: '' })) : [];
  const all = [...found, ...others];
  return all.filter(({ word }, index) => all.findIndex(each => each.word === word) === index);
}

function plainWords(before: readonly string[], options: readonly OptionRow[]): string[] {
  return before.filter((word, index) => {
    const isValue = isValueOfOption(before.slice(0, index), options);
    return !word.startsWith('-') && !isValue;
  });
}

/** Whether the next word is what an option before it takes. */
function isValueOfOption(before: readonly string[], options: readonly OptionRow[]): boolean {
  const last = before.at(-1);
  if (last === undefined || !last.startsWith('-')) return false;
  return options.some(({ flags }) => flagsOf(flags).includes(last) && /<.+>$/.test(flags));
}

/** `-o` and `--output` of `-o, --output <format>` */
function flagsOf(flags: string): string[] {
  return flags.split(/,\s*/).map(flag => flag.split(' ', 1)[0] ?? flag);
}
