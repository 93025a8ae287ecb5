// The whole, contender by contender and round by round: A B C A B C …, so that whatever else the
// machine does meets all of them. Before each timed run what it reads is brought into memory.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { planChange } from './change.ts';
import type { Contender } from './contenders.ts';
import { Cycle, Workspace, type Failure, type Sample } from './cycle.ts';
import { runCommand, type Measurer } from './measured-run.ts';
import { OPERATIONS, type Operation, type Row } from './row-table.ts';
import type { Source } from './source-table.ts';
import type { WorkPlace } from './work-place.ts';

export interface RoundOptions {
  readonly contenders: readonly Contender[];
  readonly source: Source;
  /** Of this source, those that were asked for. */
  readonly rows: readonly Row[];
  readonly rounds: number;
  readonly place: WorkPlace;
  readonly measurer: Measurer;
  readonly say: (text: string) => void;
}

export interface RoundResults {
  readonly samples: readonly Sample[];
  /** Any of these is a failure of the benchmark, whatever is checked. */
  readonly failures: readonly Failure[];
}

/** A contender, and what it carries from round to round. */
interface Lane {
  readonly contender: Contender;
  readonly failed: Set<Operation>;
  readonly prepared?: Workspace;
}

/** A cycle in which something came from a disk is done again, twice at most. */
const ATTEMPTS_MAX = 3;
const GENERATION_SEED = 20_261_122;

export async function runRounds(options: RoundOptions): Promise<RoundResults> {
  using prepared = new DisposableStack();
  const lanes = await makeLanes(options, prepared);
  const samples: Sample[] = [];
  const failures: Failure[] = [];
  for (let round = 1; round <= options.rounds; round++) {
    for (const lane of lanes) {
      const cycle = await runWarmCycle(options, lane, round);
      samples.push(...cycle.samples);
      failures.push(...cycle.failures);
      for (const { row } of cycle.failures) {
        const operation = options.rows.find(({ name }) => name === row)?.operation;
        if (operation !== undefined) lane.failed.add(operation);
      }
    }
  }
  return { samples, failures };
}

async function makeLanes(options: RoundOptions, stack: DisposableStack): Promise<Lane[]> {
  const { source, rows, place } = options;
  const wantsFirst = rows.some(({ operation }) => operation === OPERATIONS.first);
  const contenders = options.contenders
    .filter(({ isFirstBackupOnly }) => wantsFirst || isFirstBackupOnly !== true)
    .filter(({ name }) => !source.isOursAlone || name === 'stevedore');
  const lanes: Lane[] = [];
  for (const contender of contenders) {
    const isPrepared = source.isPreparedOnce && !wantsFirst;
    const prepared = isPrepared ? stack.use(await Workspace.make(place, contender)) : undefined;
    lanes.push({ contender, failed: new Set(), prepared });
  }
  await prepareGenerations(options, lanes);
  return lanes;
}

/** All back up the same generation before the next one is made. */
async function prepareGenerations(
  { source, say }: RoundOptions,
  lanes: readonly Lane[],
): Promise<void> {
  if (lanes.every(({ prepared }) => prepared === undefined)) return;
  for (let generation = 1; generation <= source.generations; generation++) {
    if (generation > 1) changeGeneration(source.path, generation);
    if (source.generations > 1) say(`${source.name}: generation ${generation}`);
    for (const { prepared } of lanes) {
      if (prepared !== undefined) await runCommand(prepared.client.backup(source.path));
    }
  }
}

function changeGeneration(path: string, generation: number): void {
  const share = 0.01 + 0.01 * ((generation % 5) / 5);
  planChange(path, { seed: GENERATION_SEED + generation, share }).apply();
  writeFileSync(join(path, `added-${generation}`), `generation ${generation}\n`);
}

async function runWarmCycle(options: RoundOptions, lane: Lane, round: number): Promise<Cycle> {
  for (let attempt = 1; ; attempt++) {
    const cycle = await runCycle(options, lane, round);
    const isWarm = cycle.samples.every(sample => sample.isWarm);
    if (isWarm || cycle.failures.length > 0 || attempt === ATTEMPTS_MAX) return cycle;
    options.say(`${lane.contender.name}: not all was in memory; once more`);
  }
}

async function runCycle(options: RoundOptions, lane: Lane, round: number): Promise<Cycle> {
  const { contender, failed, prepared } = lane;
  using stack = new DisposableStack();
  const workspace = prepared ?? stack.use(await Workspace.make(options.place, contender));
  const { source, rows, measurer, say } = options;
  const isPrepared = prepared !== undefined;
  const common = { source, rows, measurer, say, contender, round, failed };
  const cycle = new Cycle({ ...common, workspace, isPrepared });
  await cycle.run();
  return cycle;
}
