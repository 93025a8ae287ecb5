// What `npm run bench -- …` was asked for.

import { parseArgs } from 'node:util';
import { ROW_NAMES, ROWS, rowsNamed, type Row } from './row-table.ts';
import { SOURCE_NAMES } from './source-table.ts';
import { STAGES } from './stage-table.ts';

export interface BenchRequest {
  readonly isQuick: boolean;
  /** What standard output is. */
  readonly output: 'text' | 'json' | 'markdown';
  /** Exit status 1 when a target is missed. */
  readonly isChecked: boolean;
  readonly isKept: boolean;
  readonly stages: readonly string[];
  readonly rows: readonly Row[];
  /** Two versions of a file, for `--only chunkers`. */
  readonly chunkerFiles: readonly string[];
  readonly directory: string | undefined;
  readonly rounds: number;
}

function rowList(): string {
  return SOURCE_NAMES.map(source => {
    const own = ROWS.filter(row => row.source === source).map(({ name }) => name);
    return own.join(' ');
  }).join('\n           ');
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
  -o markdown        the table of docs/performance.md

  stages   ${STAGES.map(stage => stage.name).join(' ')}
  whole    ${SOURCE_NAMES.join(' ')}
           (ten-million only when it is named), or a row of them:
           ${rowList()}

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
  const isQuick = values.quick === true;
  const common = {
    isQuick,
    output: parseOutput(values.output ?? 'text'),
    isChecked: values.check === true,
    isKept: values.keep === true,
    directory: values.dir,
    rounds: parseRounds(values.rounds) ?? (isQuick ? ROUNDS_QUICK : ROUNDS),
  };
  if (values.only?.includes('chunkers') === true) {
    if (positionals.length !== 2) throw new UsageProblem('chunkers wants two files: OLD NEW');
    return { ...common, stages: [], rows: [], chunkerFiles: positionals };
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

function parseOutput(text: string): BenchRequest['output'] {
  if (text === 'text' || text === 'json' || text === 'markdown') return text;
  throw new UsageProblem(`output "${text}" is neither text, json nor markdown`);
}

function parseRounds(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const rounds = Number(text);
  if (Number.isInteger(rounds) && rounds >= 1 && rounds <= ROUNDS_MAX) return rounds;
  throw new UsageProblem(`--rounds takes 1 to ${ROUNDS_MAX}, not "${text}"`);
}

function chosen(given: readonly string[], isQuick: boolean): Pick<BenchRequest, 'stages' | 'rows'> {
  const stageNames = STAGES.map(stage => stage.name);
  const names = given.flatMap(name => name.split(',')).filter(Boolean);
  const known = [...stageNames, 'stages', ...ROW_NAMES];
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
    rows: rowsNamed(isAll ? ['whole'] : names),
  };
}
