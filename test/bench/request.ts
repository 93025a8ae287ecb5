// What `npm run bench -- …` was asked for.

import { parseArgs } from 'node:util';
import { SOURCE_NAMES } from './source-table.ts';
import { STAGES } from './stage-table.ts';

export interface BenchRequest {
  readonly isQuick: boolean;
  readonly isJson: boolean;
  /** Exit status 1 when a target is missed. */
  readonly isChecked: boolean;
  readonly isKept: boolean;
  readonly stages: readonly string[];
  readonly sources: readonly string[];
  /** Two versions of a file, for `--only chunkers`. */
  readonly chunkerFiles: readonly string[];
  readonly directory: string | undefined;
  readonly rounds: number;
}

export const USAGE = `\
npm run bench [-- OPTIONS]

  --quick            small inputs, two rounds: shows that it works, and about how fast
  --only NAME…       only these; names are below, groups are stages and whole
  --rounds N         rounds of the whole (5, quick 2)
  --dir DIR          where sources are made (the temp directory)
  --keep             leave the sources in DIR for the next run
  --check            exit status 1 when a target is missed
  -o, --output json  one JSON document on standard output

  stages   ${STAGES.map(stage => stage.name).join(' ')}
  whole    ${SOURCE_NAMES.join(' ')}

  --only chunkers -- OLD NEW
                     how much of NEW each splitter finds again in OLD, two files of yours

KOPIA_BIN and RESTIC_BIN name the programs to compare with where they are not on the PATH.
`;

const ROUNDS = 5;
const ROUNDS_QUICK = 2;
const ROUNDS_MAX = 100;

export class UsageProblem extends Error {
  override readonly name = 'UsageProblem';
}

/** @throws UsageProblem */
export function parseRequest(words: readonly string[]): BenchRequest | 'help' {
  const { values, positionals } = parse(words);
  if (values.help === true) return 'help';
  if (values.output !== undefined && values.output !== 'json' && values.output !== 'text') {
    throw new UsageProblem(`output "${values.output}" is neither text nor json`);
  }
  const isQuick = values.quick === true;
  const common = {
    isQuick,
    isJson: values.output === 'json',
    isChecked: values.check === true,
    isKept: values.keep === true,
    directory: values.dir,
    rounds: parseRounds(values.rounds) ?? (isQuick ? ROUNDS_QUICK : ROUNDS),
  };
  if (values.only?.includes('chunkers') === true) {
    if (positionals.length !== 2) throw new UsageProblem('chunkers wants two files: OLD NEW');
    return { ...common, stages: [], sources: [], chunkerFiles: positionals };
  }
  const names = [...(values.only ?? []), ...positionals];
  return { ...common, ...chosen(names, isQuick), chunkerFiles: [] };
}

function parse(words: readonly string[]) {
  try {
    return parseArgs({
      args: [...words],
      allowPositionals: true,
      options: {
        quick: { type: 'boolean' },
        only: { type: 'string', multiple: true },
        rounds: { type: 'string' },
        dir: { type: 'string' },
        keep: { type: 'boolean' },
        check: { type: 'boolean' },
        output: { type: 'string', short: 'o' },
        help: { type: 'boolean', short: 'h' },
      },
    });
  } catch (error) {
    throw new UsageProblem(error instanceof Error ? error.message : String(error));
  }
}

function parseRounds(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const rounds = Number(text);
  if (Number.isInteger(rounds) && rounds >= 1 && rounds <= ROUNDS_MAX) return rounds;
  throw new UsageProblem(`--rounds takes 1 to ${ROUNDS_MAX}, not "${text}"`);
}

function chosen(
  given: readonly string[],
  isQuick: boolean,
): Pick<BenchRequest, 'stages' | 'sources'> {
  const stageNames = STAGES.map(stage => stage.name);
  const names = given.flatMap(name => name.split(',')).filter(Boolean);
  const known = [...stageNames, ...SOURCE_NAMES, 'stages', 'whole'];
  const unknown = names.find(name => !known.includes(name));
  if (unknown !== undefined) throw new UsageProblem(`"${unknown}" is none of ${known.join(', ')}`);
  const isAll = names.length === 0;
  const usual = STAGES.filter(stage => !isQuick || stage.isFull !== true).map(stage => stage.name);
  return {
    stages: stageNames.filter(name =>
      isAll || names.includes('stages')
        ? usual.includes(name) || names.includes(name)
        : names.includes(name),
    ),
    sources: SOURCE_NAMES.filter(name => isAll || names.includes('whole') || names.includes(name)),
  };
}
