// What one contender does with a source in one round: the steps of a cycle, each of which is a row.
// A step that fails, or whose result is not what was backed up, has no figure and is reported; the
// steps that do not need it go on.

import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { planChange } from './change.ts';
import type { Client, Contender } from './contenders.ts';
import { compareTrees } from './equal-trees.ts';
import { runCommand, type Command, type Measurer, type RunCost } from './measured-run.ts';
import { warmUp } from './page-cache.ts';
import { OPERATIONS, type Operation, type Row } from './row-table.ts';
import { stampOf, type Source } from './source-table.ts';
import type { WorkPlace } from './work-place.ts';

export interface Sample extends RunCost {
  readonly row: string;
  readonly source: string;
  readonly operation: Operation;
  readonly contender: string;
  readonly round: number;
  /** Whether what is read was in memory before the run and stayed there. */
  readonly isWarm: boolean;
}

export interface Failure {
  readonly row: string;
  readonly contender: string;
  readonly message: string;
}

/** Where one contender keeps one repository. */
export class Workspace implements Disposable {
  readonly path: string;
  readonly client: Client;

  private constructor(path: string, client: Client) {
    this.path = path;
    this.client = client;
  }

  static async make(place: WorkPlace, contender: Contender): Promise<Workspace> {
    const path = place.fresh('run');
    const [repository, scratch] = [join(path, 'repository'), join(path, 'scratch')];
    for (const each of [repository, scratch]) mkdirSync(each);
    const client = contender.client({ repository, scratch });
    for (const command of client.create) await runCommand(command);
    return new Workspace(path, client);
  }

  /** A directory that is empty again. */
  emptyTarget(): string {
    const target = join(this.path, 'target');
    rmSync(target, { recursive: true, force: true, maxRetries: 3 });
    mkdirSync(target);
    return target;
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true, maxRetries: 3 });
  }
}

export interface CycleOptions {
  readonly source: Source;
  /** Of this source, those that were asked for. */
  readonly rows: readonly Row[];
  readonly measurer: Measurer;
  readonly say: (text: string) => void;
  readonly contender: Contender;
  readonly round: number;
  readonly workspace: Workspace;
  /** Whether the workspace has the source already and is used again. */
  readonly isPrepared: boolean;
  /** Operations that failed before; they are not tried again. */
  readonly failed: ReadonlySet<Operation>;
}

/** The same in every run, and another one in each round, so that nothing changed is known yet. */
const CHANGE_SEED = 20_261_121;
const CHANGED_SHARE = 0.01;
/** A run that read more than this from a disk was not warm. */
const COLD_READ_MIB = 1;
/** In the first round all content is compared, afterwards that of one file in so many. */
const SAMPLED_ONE_IN = 20;

export class Cycle {
  readonly samples: Sample[] = [];
  readonly failures: Failure[] = [];
  readonly #options: CycleOptions;

  constructor(options: CycleOptions) {
    this.#options = options;
  }

  async run(): Promise<void> {
    const { contender, isPrepared, source } = this.#options;
    if (!isPrepared && !(await this.#firstBackup())) return;
    if (contender.isFirstBackupOnly !== true) await this.#step('unchanged', () => this.#backup());
    await this.#checkBackups();
    if (contender.isFirstBackupOnly === true || source.isOursAlone) return;
    await this.#step('restore', () => this.#restore());
    await this.#step('last', () => this.#restore());
    await this.#step('delta', () => this.#restoreOver());
    await this.#step('changed', () => this.#changedBackup());
  }

  async #firstBackup(): Promise<boolean> {
    const backup = async () => this.#backup();
    if (this.#wants('first')) return this.#step('first', backup);
    await runCommand(this.#options.workspace.client.backup(this.#options.source.path));
    return true;
  }

  #wants(key: keyof typeof OPERATIONS): Row | undefined {
    const { rows, failed } = this.#options;
    const row = rows.find(({ operation }) => operation === OPERATIONS[key]);
    return row === undefined || failed.has(row.operation) ? undefined : row;
  }

  /** Whether it was done; true as well when nobody wants it. */
  async #step(key: keyof typeof OPERATIONS, run: () => Promise<Measured>): Promise<boolean> {
    const row = this.#wants(key);
    if (row === undefined) return true;
    const { contender, round, say } = this.#options;
    try {
      const measured = await run();
      const { name, source, operation } = row;
      const named = { row: name, source, operation, contender: contender.name, round };
      this.samples.push({ ...named, ...measured });
      const { wallSeconds, cpuSeconds, peakMib } = measured;
      const figures = `${wallSeconds.toFixed(2)} s, CPU ${cpuSeconds.toFixed(2)} s`;
      say(`${name} ${round}: ${contender.name}: ${figures}, ${Math.round(peakMib)} MiB`);
      return true;
    } catch (error) {
      this.#fail(row, error);
      return false;
    }
  }

  #fail(row: Row, error: unknown): void {
    const { contender, say } = this.#options;
    const message = error instanceof Error ? error.message : String(error);
    this.failures.push({ row: row.name, contender: contender.name, message });
    say(`${row.name}: ${contender.name} FAILED: ${message}`);
  }

  async #backup(): Promise<Measured> {
    const { source, workspace } = this.#options;
    const isInMemory = source.isOursAlone || warmUp(source.path).isWarm;
    return this.#measure(workspace.client.backup(source.path), isInMemory);
  }

  async #measure(command: Command, isInMemory: boolean): Promise<Measured> {
    const cost = await this.#options.measurer.measure(command);
    return { ...cost, isWarm: isInMemory && !(cost.diskReadMib > COLD_READ_MIB) };
  }

  /** What `restore` would show of the backups, where nobody asked for `restore`. */
  async #checkBackups(): Promise<void> {
    const rows = [this.#wants('first'), this.#wants('unchanged')].filter(row => row !== undefined);
    const { source, workspace, round } = this.#options;
    if (rows.length === 0 || round > 1) return;
    try {
      if (source.isOursAlone) await workspace.client.assertHolds?.(source);
      else if (this.#wants('restore') === undefined) await this.#checkByRestoring();
    } catch (error) {
      for (const row of rows) this.#fail(row, error);
      this.samples.length = 0;
    }
  }

  async #restore(): Promise<Measured> {
    const target = this.#options.workspace.emptyTarget();
    const measured = await this.#measureRestore('restore', target);
    this.#assertEqual(target);
    return measured;
  }

  async #restoreOver(): Promise<Measured> {
    const { source, workspace, round } = this.#options;
    const target = workspace.emptyTarget();
    await runCommand({ words: ['cp', '-a', `${source.path}/.`, target] });
    planChange(target, { seed: CHANGE_SEED - round, share: CHANGED_SHARE }).apply();
    const measured = await this.#measureRestore('restoreOver', target);
    this.#assertEqual(target);
    return measured;
  }

  async #measureRestore(which: 'restore' | 'restoreOver', target: string): Promise<Measured> {
    const { workspace, source } = this.#options;
    const { client } = workspace;
    const listed = client.list === undefined ? '' : await runCommand(client.list);
    const command = client[which]({ source: source.path, target, listed });
    const measured = await this.#measure(command, warmUp(workspace.path).isWarm);
    return measured;
  }

  async #changedBackup(): Promise<Measured> {
    const { source, workspace, round, isPrepared } = this.#options;
    const change = planChange(source.path, { seed: CHANGE_SEED + round, share: CHANGED_SHARE });
    const isStamped = existsSync(stampOf(source.path));
    rmSync(stampOf(source.path), { force: true });
    change.apply();
    try {
      const measured = await this.#backup();
      if (round === 1) await this.#checkByRestoring();
      return measured;
    } finally {
      change.revert();
      if (isStamped) writeFileSync(stampOf(source.path), '');
      if (isPrepared) await runCommand(workspace.client.backup(source.path));
    }
  }

  async #checkByRestoring(): Promise<void> {
    const { workspace, source } = this.#options;
    const { client } = workspace;
    const target = workspace.emptyTarget();
    const listed = client.list === undefined ? '' : await runCommand(client.list);
    await runCommand(client.restore({ source: source.path, target, listed }));
    this.#assertEqual(target);
  }

  #assertEqual(target: string): void {
    const { source, round } = this.#options;
    const oneIn = round === 1 ? 1 : SAMPLED_ONE_IN;
    const { differences, files } = compareTrees(source.path, target, { oneIn, seed: round });
    if (differences.length > 0) {
      throw new Error(`the restored tree is not the source:\n${differences.join('\n')}`);
    }
    if (files === 0) throw new Error('there was nothing to restore');
  }
}

type Measured = RunCost & Pick<Sample, 'isWarm'>;
