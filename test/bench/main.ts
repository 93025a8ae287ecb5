// `npm run bench`: each stage alone, then the whole beside kopia and restic. See
// docs/performance.md.

import { rmSync } from 'node:fs';
import { resolve } from 'node:path';
import { compareChunkers, type ChunkerRow } from './chunkers.ts';
import { compare, indexTargets, ratioTargets, type Comparison, type Target } from './comparison.ts';
import { findContenders, type Contender } from './contenders.ts';
import { describeMachine, type Machine } from './machine.ts';
import { chooseMeasurer, runCommand } from './measured-run.ts';
import {
  renderChunkers,
  renderComparison,
  renderFigures,
  renderMachine,
  renderTargets,
} from './report.ts';
import { parseRequest, USAGE, UsageProblem, type BenchRequest } from './request.ts';
import { runRounds, type Sample } from './rounds.ts';
import { prepareSource } from './source-table.ts';
import { STAGES } from './stage-table.ts';
import type { BenchFigure } from './stages/figure.ts';
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
  readonly targets: Target[];
  chunkers?: readonly ChunkerRow[];
}

const GIB = 2 ** 30;
const STAGE_ENTRY = new URL('./stage-process.ts', import.meta.url).pathname;

async function bench(request: BenchRequest): Promise<BenchDocument> {
  const isWhole = request.sources.length > 0;
  const contenders = isWhole ? findContenders() : [];
  const machine = describeMachine();
  const document: BenchDocument = {
    machine,
    contenders: contenders.map(({ name, version, told }) => ({ name, version, told })),
    stages: [],
    comparisons: [],
    samples: [],
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
  for (const name of request.sources) {
    say(`preparing ${name}`);
    const source = prepareSource(name, place.sources, request.isQuick);
    const { rounds } = request;
    const samples = await runRounds({ contenders, source, rounds, place, measurer, say });
    const comparisons = compare(name, samples);
    document.samples.push(...samples);
    document.comparisons.push(...comparisons);
    for (const comparison of comparisons) show(request, renderComparison(comparison, source.title));
  }
  document.targets.push(...ratioTargets(document.comparisons));
}

/** For people; with `-o json` standard output is the document alone. */
function show({ isJson }: BenchRequest, text: string): void {
  if (!isJson) console.log(text);
}

function say(text: string): void {
  process.stderr.write(`bench: ${text}\n`);
}

/** What `--check` finds wrong. */
function faultsOf(request: BenchRequest, { targets, comparisons }: BenchDocument): string[] {
  const missed = targets.filter(({ isMet }) => !isMet).map(({ name }) => `missed: ${name}`);
  const hasRatios = ratioTargets(comparisons).length > 0;
  const wantsRatios = request.sources.some(name => name === 'large' || name === 'small');
  const blind = wantsRatios && !hasRatios ? ['there is no kopia to compare with'] : [];
  return [...missed, ...blind];
}

try {
  const request = parseRequest(process.argv.slice(2));
  if (request === 'help') {
    console.log(USAGE);
  } else {
    const document = await bench(request);
    if (request.isJson) console.log(JSON.stringify(document, undefined, 2));
    const faults = request.isChecked ? faultsOf(request, document) : [];
    for (const fault of faults) say(fault);
    process.exitCode = faults.length > 0 ? 1 : 0;
  }
} catch (error) {
  if (!(error instanceof UsageProblem)) throw error;
  process.stderr.write(`bench: ${error.message}\n\n${USAGE}`);
  process.exitCode = 2;
}
