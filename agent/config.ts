// What the agent is told: flags before environment before file before defaults. Everything that is
// wrong is reported at once, because each attempt of an operator may be a rollout.

import { EngineError, isEngineError, messageOf } from '#engine/base/errors.ts';
import { parseYaml } from '#engine/base/yaml.ts';
import { parseFlags } from '#engine/cli/command-line.ts';
import { configHelp } from './config-help.ts';
import {
  type AgentConfig,
  INERT_FLAGS,
  INERT_SETTINGS,
  longFlag,
  type Setting,
  type SettingName,
  SETTINGS,
} from './config-table.ts';
import { nearestName } from './nearest-name.ts';

export interface ConfigSources {
  /** Behind the name of the program; `node-agent server` in front is stock's way to start it. */
  readonly words: readonly string[];
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly readText: (path: string) => string;
  /** For the width of help. */
  readonly columns: number;
}

export type ConfigOutcome =
  | {
      readonly kind: 'config';
      readonly config: AgentConfig;
      /** What was given and changes nothing: `--features`. */
      readonly inert: readonly string[];
    }
  | { readonly kind: 'text'; readonly text: string };

/** A text, and where it was found. */
interface Given {
  readonly text: string;
  readonly what: string;
}

type Problems = string[];
type Texts = Readonly<Partial<Record<string, Given>>>;

const NAMES = Object.keys(SETTINGS).filter(isSettingName);
const FLAGS = NAMES.map(name => longFlag(SETTINGS[name].flags));
const FILE_VARIABLE = 'STEVEDORE_CONFIG';
const CONFIG_BYTES_MAX = 2 ** 20;

/** @throws USAGE with all that is wrong, a line each; `details.problems` has them as a list */
export function readConfig(sources: ConfigSources): ConfigOutcome {
  const problems: Problems = [];
  const words = behindStockWords(sources.words);
  const flags = flagsOf(words, sources.columns, problems);
  if (flags.kind === 'text') return flags;
  const file = flags.file ?? unlessEmpty(sources.environment[FILE_VARIABLE]);
  const inFile = file === undefined ? {} : textsOfFile(file, sources.readText, problems);
  const inEnvironment = textsOfEnvironment(sources.environment);
  const texts: Texts = { ...inFile, ...inEnvironment, ...flags.texts };
  const values = Object.fromEntries(
    NAMES.map(name => [name, valueOf<unknown>(SETTINGS[name], texts[name], problems)]),
  );
  if (texts.cacheLimit !== undefined && texts.cacheDir === undefined) {
    problems.push(`${texts.cacheLimit.what} is of no use without a directory; give --cache-dir`);
  }
  const { cacheFloor: floor, cacheCeiling: ceiling } = texts;
  if (floor && ceiling && Number(values.cacheFloor) > Number(values.cacheCeiling)) {
    problems.push(`${floor.what} is above ${ceiling.what}; give no floor above the ceiling`);
  }
  if (problems.length > 0) throw problemsError(problems);
  const inert = INERT_SETTINGS.flatMap(name => texts[name]?.what ?? []);
  // The compiler does not see that each name got what its own row parses; valueOf() threw none.
  const config = values as unknown as AgentConfig;
  return { kind: 'config', config, inert: [...flags.inert, ...inert] };
}

function problemsError(problems: Problems): EngineError {
  const count = problems.length === 1 ? 'a problem' : `${problems.length} problems`;
  const lines = problems.map(problem => `\n  ${problem}`).join('');
  return new EngineError('USAGE', `${count} with the configuration:${lines}`, {
    details: { problems },
  });
}

/** `velero node-agent server --flags` is how stock's DaemonSet begins. */
function behindStockWords(words: readonly string[]): readonly string[] {
  const rest = words[0] === 'node-agent' ? words.slice(1) : words;
  return rest[0] === 'server' ? rest.slice(1) : rest;
}

type FlagTexts =
  | { kind: 'flags'; texts: Texts; file: string | undefined; inert: string[] }
  | { kind: 'text'; text: string };

function flagsOf(words: readonly string[], columns: number, problems: Problems): FlagTexts {
  const empty = { kind: 'flags', texts: {}, file: undefined, inert: [] } as const;
  try {
    const flags = parseFlags(configHelp(columns), words);
    if (flags.kind === 'text') return flags;
    problems.push(...flags.strangers.filter(isOption).map(strangerProblem));
    const { values } = flags;
    const texts: Record<string, Given> = {};
    for (const name of NAMES) {
      const value = values[name];
      const what = longFlag(SETTINGS[name].flags);
      if (typeof value === 'string' || value === true) texts[name] = { text: `${value}`, what };
    }
    const inert = INERT_FLAGS.map(longFlag).filter(flag => values[flag.slice(2)] !== undefined);
    const file = typeof values.config === 'string' ? values.config : undefined;
    return { kind: 'flags', texts, file, inert };
  } catch (error) {
    if (!isEngineError(error, 'USAGE')) throw error;
    problems.push(error.message);
    return { ...empty, inert: [] };
  }
}

function isOption(word: string): boolean {
  return word.startsWith('-');
}

function strangerProblem(word: string): string {
  const [flag = word] = word.split('=', 1);
  const near = nearestName(flag, FLAGS);
  return `there is no option ${flag}; ${near === undefined ? 'see --help' : `try ${near}`}`;
}

function textsOfEnvironment(environment: ConfigSources['environment']): Texts {
  const texts: Record<string, Given> = {};
  for (const name of NAMES) {
    const what = SETTINGS[name].variables.find(each => unlessEmpty(environment[each]));
    const text = what === undefined ? undefined : environment[what];
    if (what !== undefined && text !== undefined) texts[name] = { text, what };
  }
  return texts;
}

function textsOfFile(path: string, readText: (path: string) => string, problems: Problems): Texts {
  const texts: Record<string, Given> = {};
  try {
    const text = readText(path);
    if (text.length > CONFIG_BYTES_MAX) throw new Error('it is too large for a configuration');
    const body = parseYaml(text, path) ?? {};
    if (typeof body !== 'object' || Array.isArray(body)) throw new Error('give key: value lines');
    for (const [key, value] of Object.entries(body)) {
      if (!isSettingName(key)) problems.push(strangerKeyProblem(path, key));
      else if (isPlain(value)) texts[key] = { text: `${value}`, what: `${key} in ${path}` };
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

function strangerKeyProblem(path: string, key: string): string {
  const near = nearestName(key, NAMES);
  const advice = near === undefined ? 'see --help' : `try ${near}`;
  return `there is no setting '${key}' (${path}); ${advice}`;
}

function isPlain(value: unknown): value is string | number | boolean {
  return ['string', 'number', 'boolean'].includes(typeof value);
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
    problems.push(error.message);
  }
  return undefined;
}

function unlessEmpty(text: string | undefined): string | undefined {
  return text === '' ? undefined : text;
}

function isSettingName(name: string): name is SettingName {
  return Object.hasOwn(SETTINGS, name);
}
