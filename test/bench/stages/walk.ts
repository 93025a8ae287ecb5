// Walking a source whose metadata is in memory: list and stat, nothing is opened or read. The lower
// bound for a backup that finds everything unchanged.

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { scanDirectory, type EntryVisitor } from '#engine/snapshot/source/scan-directory.ts';
import {
  createSelection,
  DEFAULT_FILES_POLICY,
  enterDirectory,
  type Selection,
} from '#engine/snapshot/source/selection.ts';
import { openSourceFileSystem } from '#engine/snapshot/source/open-source-file-system.ts';
import type {
  SourceDirectory,
  SourceFileSystem,
} from '#engine/snapshot/source/source-file-system.ts';
import { SourceListing } from '#engine/snapshot/source/source-listing.ts';
import { ENTRY_TYPE, SourceStat } from '#engine/snapshot/source/source-stat.ts';
import type { BenchFigure, StageOptions } from './figure.ts';
import { budgetMs, secondsPerCall } from './timing.ts';

const FILES_PER_DIRECTORY = 150;

export async function benchWalk(options: StageOptions): Promise<BenchFigure[]> {
  const directories = options.isQuick ? 20 : 200;
  makeTree(options.directory, directories);
  const files = directories * FILES_PER_DIRECTORY;
  const figures: BenchFigure[] = [];
  for (const native of [true, false]) {
    const walk = new Walk(openSourceFileSystem({ native }));
    const seconds = secondsPerCall(() => {
      const found = walk.count(options.directory);
      if (found !== files) throw new Error(`walked over ${found} files, not ${files}`);
    }, budgetMs(options));
    figures.push({ name: `${walk.kind}: a file`, value: (seconds * 1e6) / files, unit: 'us' });
  }
  return figures;
}

class Walk {
  readonly #fileSystem: SourceFileSystem;
  readonly #stat = new SourceStat();
  readonly #directoryStat = new SourceStat();
  readonly #listings: SourceListing[] = [];

  constructor(fileSystem: SourceFileSystem) {
    this.#fileSystem = fileSystem;
  }

  get kind(): string {
    return this.#fileSystem.kind;
  }

  count(root: string): number {
    using directory = this.#fileSystem.openRoot(root, { followsLinks: true });
    return this.#countBelow(directory, createSelection(DEFAULT_FILES_POLICY), 0);
  }

  #countBelow(directory: SourceDirectory, selection: Selection, depth: number): number {
    const listing = (this.#listings[depth] ??= new SourceListing());
    const children: number[] = [];
    let files = 0;
    const visitor: EntryVisitor = {
      visit: (index, stat) => {
        if (stat?.type === ENTRY_TYPE.directory) children.push(index);
        else files++;
      },
      fail: (_, error) => {
        throw error;
      },
    };
    this.#fileSystem.statOpen(directory, this.#directoryStat);
    const scanned = scanDirectory(
      {
        fileSystem: this.#fileSystem,
        directory,
        directoryStat: this.#directoryStat,
        selection,
        listing,
        stat: this.#stat,
      },
      visitor,
    );
    for (const index of children) {
      using child = this.#fileSystem.openDirectory(directory, listing, index);
      const inside = enterDirectory(scanned.selection, listing.nameAt(index));
      files += this.#countBelow(child, inside, depth + 1);
    }
    return files;
  }
}

function makeTree(root: string, directories: number): void {
  for (let d = 0; d < directories; d++) {
    const directory = join(root, `directory-${d}`);
    mkdirSync(directory);
    for (let f = 0; f < FILES_PER_DIRECTORY; f++) writeFileSync(join(directory, `file-${f}`), '');
  }
}
