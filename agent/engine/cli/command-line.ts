// From the words after `stevedore` to a call of a verb. The only file that imports commander, which
// splits the words, finds spelling mistakes and lays out help; the verbs are data to it.

import { Command, CommanderError, Option } from 'commander';
import { usageError, type OptionValues } from './option-values.ts';
import type { OptionRow, Verb, VerbRow } from './verb.ts';

export type Invocation<Row extends VerbRow = Verb> =
  | {
      readonly kind: 'call';
      readonly verb: Row;
      readonly operands: readonly string[];
      /** Global options among them. */
      readonly options: OptionValues;
    }
  /** Help or the version: text for standard output. */
  | { readonly kind: 'text'; readonly text: string };

export interface Program<Row extends VerbRow = Verb> {
  readonly name: string;
  readonly version: string;
  readonly summary: string;
  readonly globalOptions: readonly OptionRow[];
  readonly verbs: readonly Row[];
  /** First words that start something else (agent/stevedore.js), with flags of its own. */
  readonly otherPrograms: readonly string[];
  /** Text below the list of commands. */
  readonly epilogue: string;
  /** For the width of help. */
  readonly columns: number;
}

/** Of the error that is thrown where a command is missing. */
const HELP_CODE = 'commander.help';

/** @throws USAGE, the message naming what was meant where that can be guessed */
export function parseCommandLine<Row extends VerbRow>(
  program: Program<Row>,
  words: readonly string[],
): Invocation<Row> {
  const found: { invocation?: Invocation<Row> } = {};
  const written: string[] = [];
  const root = new Command(program.name);
  addGlobals(root, program, written);
  for (const verb of program.verbs) {
    const command = parentOf(root, verb).command(leafWords(verb));
    addVerb(command, verb);
    command.action((...parts: unknown[]) => {
      const operands = parts
        .slice(0, -2)
        .flat()
        .filter(part => typeof part === 'string');
      found.invocation = { kind: 'call', verb, operands, options: command.optsWithGlobals() };
    });
  }
  try {
    root.parse([...words], { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return { kind: 'text', text: written.join('') };
    const [first, ...rest] = words;
    // Whom commander does not know it takes for nobody there, and the word itself says more.
    if (first === 'help' && error.code === HELP_CODE) return parseCommandLine(program, rest);
    throw usageError(misplaced(program, error, words) ?? messageIn(error, written));
  }
  return found.invocation ?? { kind: 'text', text: root.helpInformation() };
}

/** What to do where flags stand before the name of another program. */
function misplaced(program: Program<VerbRow>, error: CommanderError, words: readonly string[]) {
  if (!/^commander\.unknown(Command|Option)$/.test(error.code)) return undefined;
  const { name, verbs, otherPrograms } = program;
  const commands = new Set([...verbs.map(({ words: [first] }) => first), ...otherPrograms]);
  const word = words.find(each => commands.has(each));
  if (word === undefined || !otherPrograms.includes(word)) return undefined;
  return `${word} has to stand before its flags, which are its own: try ${name} ${word} --help`;
}

/** A program without verbs, such as a server. */
export type FlagProgram = Pick<Program, 'name' | 'summary' | 'epilogue' | 'columns'> & {
  readonly options: readonly OptionRow[];
};

export type Flags =
  | {
      readonly kind: 'flags';
      readonly values: OptionValues;
      /** Words that are no option of the program, and no value of one. */
      readonly strangers: readonly string[];
    }
  | { readonly kind: 'text'; readonly text: string };

/**
 * Options alone. What is unknown is returned, so that all of it can be reported at once.
 * @throws USAGE when the value of an option is missing
 */
export function parseFlags(program: FlagProgram, words: readonly string[]): Flags {
  const written: string[] = [];
  const root = new Command(program.name)
    .description(program.summary)
    .usage('[options]')
    .configureOutput({
      writeErr: text => written.push(text),
      getOutHelpWidth: () => program.columns,
    })
    .exitOverride();
  for (const row of program.options) root.addOption(optionOf(row));
  if (words.some(word => word === '--help' || word === '-h')) {
    return { kind: 'text', text: `${root.helpInformation()}\n${program.epilogue}` };
  }
  try {
    const { operands, unknown } = root.parseOptions([...words]);
    return { kind: 'flags', values: root.opts(), strangers: [...operands, ...unknown] };
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    throw usageError(messageIn(error, written));
  }
}

function addGlobals(root: Command, program: Program<VerbRow>, written: string[]): void {
  const keep = (text: string) => written.push(text);
  root
    .description(program.summary)
    .version(`${program.name} ${program.version}`, '--version', 'print the version')
    .helpOption('-h, --help', 'explain a command')
    .helpCommand('help [command]', 'explain a command')
    .configureOutput({
      writeOut: keep,
      writeErr: keep,
      getOutHelpWidth: () => program.columns,
      getErrHelpWidth: () => program.columns,
    })
    .configureHelp({ showGlobalOptions: true })
    .addHelpText('after', `\n${program.epilogue}`)
    .exitOverride();
  for (const row of program.globalOptions) root.addOption(optionOf(row));
}

function addVerb(command: Command, verb: VerbRow): void {
  command.summary(verb.summary).description(verb.description);
  for (const row of verb.options) command.addOption(optionOf(row));
  command.addHelpText('after', `\n${examplesOf(verb)}`);
}

function optionOf(row: OptionRow): Option {
  const option = new Option(row.flags, row.text);
  if (row.isRepeatable) {
    option.argParser((value: string, earlier: string[] = []) => [...earlier, value]);
  }
  return option;
}

/** The group (`repo`) for verbs of two words, made when it is first needed. */
function parentOf(root: Command, verb: VerbRow): Command {
  const [group, leaf] = verb.words;
  if (group === undefined || leaf === undefined) return root;
  const existing = root.commands.find(command => command.name() === group);
  return existing ?? root.command(group).description(GROUPS[group] ?? '');
}

const GROUPS: Readonly<Record<string, string>> = Object.freeze({
  repo: 'make a repository, look at it, check it',
  cache: 'look at a cache, make it empty',
});

function leafWords(verb: VerbRow): string {
  return `${verb.words.at(-1) ?? ''} ${verb.operands}`.trim();
}

function examplesOf(verb: VerbRow): string {
  const lines = verb.examples.map(({ command, text }) => `  # ${text}\n  $ ${command}\n`);
  return `Examples:\n${lines.join('\n')}`;
}

/** Commander writes suggestions behind its message; help comes as text after a missing verb. */
function messageIn(error: CommanderError, written: readonly string[]): string {
  if (error.code === HELP_CODE) return 'a command is missing; name one';
  const text = written
    .join('')
    .replace(/^error: /, '')
    .trim();
  return (text === '' ? error.message : text).replaceAll('\n', ' ');
}
