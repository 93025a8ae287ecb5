// The whole, contender by contender and round by round: A B C A B C …, so that whatever else the
// machine does meets all of them. Before each timed run the source is brought into memory.

import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Contender } from './contenders.ts';
import { runCommand, type Command, type Measurer, type RunCost } from './measured-run.ts';
import { readTree, warmUp, type Warmth } from './page-cache.ts';
import type { Source } from './source-table.ts';
import type { WorkPlace } from './work-place.ts';

export const OPERATIONS = ['first backup', 'second backup, nothing changed', 'restore'] as const;
export type Operation = (typeof OPERATIONS)[number];

export interface Sample extends RunCost {
  readonly source: string;
  readonly operation: Operation;
  readonly contender: string;
  readonly round: number;
  /** Whether the source was in memory before the run and stayed there. */
  readonly isWarm: boolean;
}

export interface RoundOptions {
  readonly contenders: readonly Contender[];
  readonly source: Source;
  readonly rounds: number;
  readonly place: WorkPlace;
  readonly measurer: Measurer;
  readonly say: (text: string) => void;
}

/** A run that read more than this from a disk was not warm: it is done again, twice at most. */
const COLD_READ_MIB = 1;
const ATTEMPTS_MAX = 3;

export async function runRounds(options: RoundOptions): Promise<Sample[]> {
  const samples: Sample[] = [];
  for (let round = 1; round <= options.rounds; round++) {
    for (const contender of options.contenders) {
      samples.push(...(await runWarmCycle(options, contender, round)));
    }
  }
  return samples;
}

async function runWarmCycle(
  options: RoundOptions,
  contender: Contender,
  round: number,
): Promise<Sample[]> {
  for (let attempt = 1; ; attempt++) {
    const samples = await runCycle(options, contender, round);
    if (samples.every(sample => sample.isWarm) || attempt === ATTEMPTS_MAX) return samples;
    options.say(`${contender.name}: the source was not in memory; once more`);
  }
}

async function runCycle(
  options: RoundOptions,
  contender: Contender,
  round: number,
): Promise<Sample[]> {
  const directory = options.place.fresh('run');
  const repository = join(directory, 'repository');
  const scratch = join(directory, 'scratch');
  const target = join(directory, 'target');
  for (const path of [repository, scratch, target]) mkdirSync(path);
  const { source } = options;
  const samples: Sample[] = [];
  const measure = async (operation: Operation, command: Command): Promise<Warmth> => {
    const warmth = warmUp(source.path);
    const cost = await options.measurer.measure(command);
    const isWarm = warmth.isWarm && !(cost.diskReadMib > COLD_READ_MIB);
    const named = { source: source.name, operation, contender: contender.name, round };
    samples.push({ ...named, ...cost, isWarm });
    const { wallSeconds } = cost;
    options.say(
      `${source.name} ${round}: ${contender.name}, ${operation}: ${wallSeconds.toFixed(2)} s`,
    );
    return warmth;
  };
  try {
    const client = contender.client({ repository, scratch });
    for (const command of client.create) await runCommand(command);
    const backup = client.backup(source.path);
    const stored = await measure('first backup', backup);
    if (contender.isFirstBackupOnly === true) return samples;
    await measure('second backup, nothing changed', backup);
    const listed = client.list === undefined ? '' : await runCommand(client.list);
    await measure('restore', client.restore(target, listed));
    assertRestored(contender, stored, readTree(target));
    return samples;
  } finally {
    rmSync(directory, { recursive: true, force: true, maxRetries: 3 });
  }
}

/** A fast restore that restores little is not fast. */
function assertRestored(
  { name }: Contender,
  stored: Pick<Warmth, 'files' | 'bytes'>,
  restored: { files: number; bytes: number },
): void {
  if (stored.files === restored.files && stored.bytes === restored.bytes) return;
  throw new Error(
    `${name} restored ${restored.files} files, ${restored.bytes} bytes of ` +
      `${stored.files} files, ${stored.bytes} bytes`,
  );
}
