// `npm run bench`: each stage alone, then the whole beside kopia and restic. See
// docs/performance.md.

import { rmSync } from 'node:fs';
import { resolve } from 'node:path';
import { compareChunkers, type ChunkerRow } from './chunkers.ts';
import { compare, type Comparison } from './comparison.ts';
import { findContenders, type Contender } from './contenders.ts';
import type { Failure, Sample } from './cycle.ts';
import { renderFigureTable } from './figure-table.ts';
import { describeMachine, type Machine } from './machine.ts';
import { chooseMeasurer, runCommand, type Measurer } from './measured-run.ts';
import {
  renderChunkers,
  renderComparison,
  renderFailures,
  renderFigures,
  renderMachine,
  renderTargets,
} from './report.ts';
import { parseRequest, USAGE, UsageProblem, type BenchRequest } from './request.ts';
import { runRounds } from './rounds.ts';
import { prepareSource } from './source-table.ts';
import { STAGES } from './stage-table.ts';
import type { BenchFigure } from './stages/figure.ts';
import { indexTargets, rowTargets, type Target } from './target-table.ts';
import { ProgramProblem } from '#test/support/find-program.ts';
import { WorkPlace } from './work-place.ts';

/** The JSON document; fields may be added. */
interface BenchDocument {
  readonly machine: Machine;
  readonly contenders: readonly Pick<Contender, 'name' | 'version' | 'told'>[];
  measuredBy?: string;
  areRepositoriesInMemory?: boolean;
  readonly stages: { readonly name: string; readonly figures: readonly BenchFigure[] }[];
  readonly comparisons: Comparison[];
  readonly samples: Sample[];
  /** Rows that came to nothing, or to something else than was backed up. */
  readonly failures: Failure[];
  /** Sources that this machine has no room for. */
  readonly skipped: { readonly source: string; readonly reason: string }[];
  readonly targets: Target[];
  chunkers?: readonly ChunkerRow[];
}

const GIB = 2 ** 30;
const STAGE_ENTRY = new URL('./stage-process.ts', import.meta.url).pathname;

async function bench(request: BenchRequest): Promise<BenchDocument> {
  const isWhole = request.rows.length > 0;
  const contenders = isWhole ? findContenders() : [];
  const machine = describeMachine();
  const document: BenchDocument = {
    machine,
    contenders: contenders.map(({ name, version, told }) => ({ name, version, told })),
    stages: [],
    comparisons: [],
    samples: [],
    failures: [],
    skipped: [],
    targets: [],
  };
  show(request, renderMachine(machine, contenders));
  const [oldFile, newFile] = request.chunkerFiles;
  if (oldFile !== undefined && newFile !== undefined) {
    document.chunkers = compareChunkers(resolve(oldFile), resolve(newFile));
    show(request, renderChunkers(document.chunkers));
    return document;
  }
  // A repository and what is restored from it, and what the programs keep beside them.
  const repositoryBytes = request.isQuick ? 2 * GIB : 7 * GIB;
  using place = new WorkPlace(request.directory, request.isKept, repositoryBytes);
  await benchStages(request, place, document);
  if (isWhole) await benchWhole(request, place, contenders, document);
  if (document.failures.length > 0) show(request, renderFailures(document.failures));
  if (document.targets.length > 0) show(request, renderTargets(document.targets));
  return document;
}

async function benchStages(
  request: BenchRequest,
  place: WorkPlace,
  document: BenchDocument,
): Promise<void> {
  for (const { name, title } of STAGES.filter(stage => request.stages.includes(stage.name))) {
    say(`stage ${name}`);
    const directory = place.fresh('stage');
    const extent = request.isQuick ? 'quick' : 'full';
    const words = [process.execPath, STAGE_ENTRY, name, directory, extent];
    // Printed by stage-process.ts.
    const figures = JSON.parse(await runCommand({ words })) as BenchFigure[];
    rmSync(directory, { recursive: true, force: true });
    document.stages.push({ name, figures });
    if (name.startsWith('index')) document.targets.push(...indexTargets(name, figures));
    show(request, renderFigures(`${title} (${name})`, figures));
  }
}

async function benchWhole(
  request: BenchRequest,
  place: WorkPlace,
  contenders: readonly Contender[],
  document: BenchDocument,
): Promise<void> {
  const measurer = chooseMeasurer();
  document.measuredBy = measurer.name;
  document.areRepositoriesInMemory = place.areRepositoriesInMemory;
  const where = place.areRepositoriesInMemory
    ? 'memory (tmpfs)'
    : `${place.repositories}, NOT memory`;
  const how = `${request.rounds} rounds, repositories in ${where}, measured by ${measurer.name}`;
  const meaning = 'median (least..most); a ratio is the median of the ratios of each round';
  show(request, `The whole: ${how};\n${meaning}\n`);
  for (const name of new Set(request.rows.map(({ source }) => source))) {
    await benchSource({ request, place, contenders, measurer, document }, name);
  }
  const skipped = document.skipped.map(({ source }) => source);
  const names = request.rows.filter(({ source }) => !skipped.includes(source));
  const targets = rowTargets(
    names.map(row => row.name),
    document.comparisons,
  );
  document.targets.push(...targets);
}

interface Whole {
  readonly request: BenchRequest;
  readonly place: WorkPlace;
  readonly contenders: readonly Contender[];
  readonly measurer: Measurer;
  readonly document: BenchDocument;
}

async function benchSource(whole: Whole, name: string): Promise<void> {
  const { request, place, contenders, measurer, document } = whole;
  say(`preparing ${name}`);
  const scratch = place.fresh('source');
  try {
    const source = prepareSource(name, { sources: place.sources, scratch }, request.isQuick);
    if ('reason' in source) {
      document.skipped.push({ source: name, reason: source.reason });
      show(request, `${name} is skipped: ${source.reason}\n`);
      return;
    }
    const rows = request.rows.filter(row => row.source === name);
    const { rounds } = request;
    const results = await runRounds({ contenders, source, rows, rounds, place, measurer, say });
    const comparisons = compare(rows, results.samples);
    document.samples.push(...results.samples);
    document.failures.push(...results.failures);
    document.comparisons.push(...comparisons);
    for (const comparison of comparisons) show(request, renderComparison(comparison, source.title));
  } finally {
    rmSync(scratch, { recursive: true, force: true, maxRetries: 3 });
  }
}

/** For people; else standard output is the document alone. */
function show({ output }: BenchRequest, text: string): void {
  if (output === 'text') console.log(text);
}

function say(text: string): void {
  process.stderr.write(`bench: ${text}\n`);
}

/** A row without figures is always wrong, a target that is missed when `--check` asks. */
function faultsOf({ isChecked }: BenchRequest, { targets, failures }: BenchDocument): string[] {
  const failed = failures.map(({ row, contender }) => `failed: ${row}, ${contender}`);
  const missed = targets.filter(({ isMet }) => !isMet).map(({ name }) => `missed: ${name}`);
  return isChecked ? [...failed, ...missed] : failed;
}

try {
  const request = parseRequest(process.argv.slice(2));
  if (request === 'help') {
    console.log(USAGE);
  } else {
    const document = await bench(request);
    if (request.output === 'json') console.log(JSON.stringify(document, undefined, 2));
    if (request.output === 'markdown') console.log(renderFigureTable(document.comparisons));
    const faults = faultsOf(request, document);
    for (const fault of faults) say(fault);
    process.exitCode = faults.length > 0 ? 1 : 0;
  }
} catch (error) {
  if (error instanceof UsageProblem) {
    process.stderr.write(`bench: ${error.message}\n\n${USAGE}`);
    process.exitCode = 2;
  } else if (error instanceof ProgramProblem) {
    say(error.message);
    process.exitCode = 1;
  } else {
    throw error;
  }
}
