// Reading a file whose pages are in memory, as the upload reads it: into an arena, by system calls
// and through node:fs. The upper bound of everything that has to look at file contents.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { allocateArena } from '#engine/base/arena.ts';
import { openSourceFileSystem } from '#engine/snapshot/source/open-source-file-system.ts';
import type { SourceFileSystem } from '#engine/snapshot/source/source-file-system.ts';
import { SourceListing } from '#engine/snapshot/source/source-listing.ts';
import { MIB, sizeName, type BenchFigure, type StageOptions } from './figure.ts';
import { fillWithNoise } from './test-bytes.ts';
import { budgetMs, secondsPerCall } from './timing.ts';

const STEPS = [64 * 1024, MIB, 4 * MIB];

export async function benchRead(options: StageOptions): Promise<BenchFigure[]> {
  const fileBytes = (options.isQuick ? 32 : 256) * MIB;
  const bytes = new Uint8Array(fileBytes);
  fillWithNoise(bytes, 11);
  writeFileSync(join(options.directory, 'file'), bytes);
  const figures: BenchFigure[] = [];
  for (const native of [true, false]) {
    const fileSystem = openSourceFileSystem({ native });
    for (const step of STEPS) {
      const seconds = benchOne(options, fileSystem, step);
      const name = `${fileSystem.kind}, ${sizeName(step)} at a time`;
      figures.push({ name, value: fileBytes / MIB / seconds, unit: 'MiB/s' });
    }
  }
  return figures;
}

function benchOne(options: StageOptions, fileSystem: SourceFileSystem, step: number): number {
  const names = new SourceListing();
  using directory = fileSystem.openRoot(options.directory, { followsLinks: true });
  fileSystem.list(directory, names);
  using file = fileSystem.openFile(directory, names, names.findFile(Buffer.from('file')));
  const arena = allocateArena(step);
  const readAll = () => {
    let position = 0;
    for (let got = -1; got !== 0; position += got) {
      got = fileSystem.read(file, arena, { targetOffset: 0, length: step, position });
    }
  };
  return secondsPerCall(readAll, budgetMs(options));
}
