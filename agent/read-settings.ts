// Settings of a program from flags before environment before file before defaults. Everything that
// is wrong is reported at once, because each attempt of an operator may be a rollout.

import { EngineError, isEngineError, messageOf } from '#engine/base/errors.ts';
import { parseYaml } from '#engine/base/yaml.ts';
import { type FlagProgram, parseFlags } from '#engine/cli/command-line.ts';
import { safeText } from '#engine/cli/terminal-text.ts';
import { nearestName } from './nearest-name.ts';
import { longFlag, type Setting, type SettingsTable, type SettingValues } from './setting.ts';

export interface SettingsProgram<Table extends SettingsTable> {
  readonly name: string;
  readonly summary: string;
  readonly epilogue: string;
  readonly settings: Table;
  /** Flags that are accepted and change nothing. */
  readonly inertFlags?: readonly string[];
  /** It has flags and variables alone. */
  readonly isWithoutFile?: boolean;
}

export interface ConfigSources {
  /** Behind the name of the program. */
  readonly words: readonly string[];
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly readText: (path: string) => string;
  /** For the width of help. */
  readonly columns: number;
}

/** A text, and where it was found. */
export interface Given {
  readonly text: string;
  readonly what: string;
}

type Problems = string[];
export type Texts = Readonly<Partial<Record<string, Given>>>;

export interface ReadSettings<Table extends SettingsTable> {
  readonly kind: 'settings';
  /** To be used where there are no problems alone: what has one is undefined. */
  readonly values: SettingValues<Table>;
  /** What was given, by the name of the setting. */
  readonly texts: Texts;
  /** A sentence each; the caller may add to them. */
  readonly problems: Problems;
  /** Flags that were given and change nothing. */
  readonly inert: readonly string[];
}

export type SettingsOutcome<Table extends SettingsTable> =
  ReadSettings<Table> | { readonly kind: 'text'; readonly text: string };

/** What a program makes of its settings. */
export type ConfigOutcome<Config> =
  | {
      readonly kind: 'config';
      readonly config: Config;
      /** What was given and changes nothing: `--features`. */
      readonly inert: readonly string[];
    }
  /** To be shown, such as help. */
  | { readonly kind: 'text'; readonly text: string };

const FILE_VARIABLE = 'STEVEDORE_CONFIG';
const FILE_OPTION = {
  flags: '--config <file>',
  text: `YAML with the settings (${FILE_VARIABLE})`,
};
const CONFIG_BYTES_MAX = 2 ** 20;

export function readSettings<Table extends SettingsTable>(
  program: SettingsProgram<Table>,
  sources: ConfigSources,
): SettingsOutcome<Table> {
  const { settings } = program;
  const problems: Problems = [];
  const flags = flagsOf(program, sources, problems);
  if (flags.kind === 'text') return flags;
  const inVariable = program.isWithoutFile ? '' : sources.environment[FILE_VARIABLE];
  const file = flags.file ?? unlessEmpty(inVariable);
  const inFile = file === undefined ? {} : textsOfFile(settings, file, sources, problems);
  const inEnvironment = textsOfEnvironment(settings, sources.environment);
  const texts: Texts = { ...inFile, ...inEnvironment, ...flags.texts };
  const values = Object.fromEntries(
    Object.entries(settings).map(([name, row]) => [name, valueOf(row, texts[name], problems)]),
  );
  // The compiler does not see that each name got what its own row parses.
  const typed = values as SettingValues<Table>;
  return { kind: 'settings', values: typed, texts, problems, inert: flags.inert };
}

/** @throws USAGE with all that is wrong, a line each; `details.problems` has them as a list */
export function requireNoProblems(problems: readonly string[]): void {
  if (problems.length === 0) return;
  const count = problems.length === 1 ? 'a problem' : `${problems.length} problems`;
  const lines = problems.map(problem => `\n  ${problem}`).join('');
  throw new EngineError('USAGE', `${count} with the configuration:${lines}`, {
    details: { problems },
  });
}

/** A line for each problem of the configuration; undefined for another error. */
export function problemLines(error: unknown): string | undefined {
  const problems: unknown = isEngineError(error, 'USAGE') ? error.details.problems : undefined;
  if (!Array.isArray(problems)) return undefined;
  return problems.map(problem => `  ${safeText(String(problem))}\n`).join('');
}

/** `--help`: the table as a program that commander can explain. */
function helpOf(program: SettingsProgram<SettingsTable>, columns: number): FlagProgram {
  const { name, summary, epilogue, settings, inertFlags = [], isWithoutFile } = program;
  return {
    name,
    summary,
    options: [
      ...Object.values(settings).map(({ flags, text, initial }) => ({
        flags,
        text: initial === undefined ? text : `${text} (${initial})`,
      })),
      ...(isWithoutFile ? [] : [FILE_OPTION]),
      ...inertFlags.map(flags => ({ flags, text: "accepted as stock's, without effect" })),
    ],
    epilogue,
    columns,
  };
}

type FlagTexts =
  | { kind: 'flags'; texts: Texts; file: string | undefined; inert: string[] }
  | { kind: 'text'; text: string };

function flagsOf(
  program: SettingsProgram<SettingsTable>,
  { words, columns }: ConfigSources,
  problems: Problems,
): FlagTexts {
  const { settings, inertFlags = [] } = program;
  try {
    const flags = parseFlags(helpOf(program, columns), words);
    if (flags.kind === 'text') return flags;
    problems.push(...flags.strangers.filter(isOption).map(word => strangerProblem(word, settings)));
    const { values } = flags;
    const texts: Record<string, Given> = {};
    for (const [name, row] of Object.entries(settings)) {
      const value = values[name];
      const what = longFlag(row.flags);
      if (typeof value === 'string' || value === true) texts[name] = { text: `${value}`, what };
    }
    const inert = inertFlags.map(longFlag).filter(flag => values[flag.slice(2)] !== undefined);
    const file = typeof values.config === 'string' ? values.config : undefined;
    return { kind: 'flags', texts, file, inert };
  } catch (error) {
    if (!isEngineError(error, 'USAGE')) throw error;
    problems.push(error.message);
    return { kind: 'flags', texts: {}, file: undefined, inert: [] };
  }
}

function isOption(word: string): boolean {
  return word.startsWith('-');
}

function strangerProblem(word: string, settings: SettingsTable): string {
  const [flag = word] = word.split('=', 1);
  const near = nearestName(
    flag,
    Object.values(settings).map(({ flags }) => longFlag(flags)),
  );
  return `there is no option ${flag}; ${near === undefined ? 'see --help' : `try ${near}`}`;
}

function textsOfEnvironment(
  settings: SettingsTable,
  environment: ConfigSources['environment'],
): Texts {
  const texts: Record<string, Given> = {};
  for (const [name, { variables }] of Object.entries(settings)) {
    const what = variables.find(each => unlessEmpty(environment[each]));
    const text = what === undefined ? undefined : environment[what];
    if (what !== undefined && text !== undefined) texts[name] = { text, what };
  }
  return texts;
}

function textsOfFile(
  settings: SettingsTable,
  path: string,
  { readText }: ConfigSources,
  problems: Problems,
): Texts {
  const texts: Record<string, Given> = {};
  try {
    const text = readText(path);
    if (text.length > CONFIG_BYTES_MAX) throw new Error('it is too large for a configuration');
    const body = parseYaml(text, path) ?? {};
    if (typeof body !== 'object' || Array.isArray(body)) throw new Error('give key: value lines');
    for (const [key, value] of Object.entries(body)) {
      const row = Object.hasOwn(settings, key) ? settings[key] : undefined;
      const written = plainText(value, row?.isStructured === true);
      if (row === undefined) problems.push(strangerKeyProblem(path, key, settings));
      else if (written !== undefined) texts[key] = { text: written, what: `${key} in ${path}` };
      else problems.push(`${key} in ${path} is no text, number or boolean; give one`);
    }
  } catch (error) {
    problems.push(
      isEngineError(error)
        ? error.message
        : `the file of --config, ${path}, cannot be used: ${messageOf(error)}`,
    );
  }
  return texts;
}

function strangerKeyProblem(path: string, key: string, settings: SettingsTable): string {
  const near = nearestName(key, Object.keys(settings));
  const advice = near === undefined ? 'see --help' : `try ${near}`;
  return `there is no setting '${key}' (${path}); ${advice}`;
}

/** As it would stand behind a flag. */
function plainText(value: unknown, isStructured: boolean): string | undefined {
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'boolean') return `${value}`;
  // JSON is YAML, which the row parses.
  return isStructured ? JSON.stringify(value) : undefined;
}

/** Undefined after a problem, which keeps the result from being used. */
function valueOf<Value>(
  { initial, missing, parse }: Setting<Value>,
  given: Given | undefined,
  problems: Problems,
): Value | undefined {
  try {
    if (given !== undefined) return parse(given.text, given.what);
    if (initial !== undefined) return parse(initial, 'the default');
    if (missing !== undefined) problems.push(missing);
  } catch (error) {
    if (!isEngineError(error, 'USAGE')) throw error;
    problems.push(...problemsOf(error));
  }
  return undefined;
}

/** One, or all of those in a value that has parts. */
function problemsOf({ details, message }: EngineError): readonly string[] {
  return Array.isArray(details.problems) ? details.problems.map(String) : [message];
}

function unlessEmpty(text: string | undefined): string | undefined {
  return text === '' ? undefined : text;
}
