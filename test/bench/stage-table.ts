// The stages, by the names that `--only` takes. A new one is a file in stages/ and a row here.

import { benchCache } from './stages/cache.ts';
import { benchCipher } from './stages/cipher.ts';
import { benchCompress } from './stages/compress.ts';
import { benchDirectory } from './stages/directory.ts';
import type { BenchFigure, StageOptions } from './stages/figure.ts';
import { benchHash } from './stages/hash.ts';
import { benchIndex } from './stages/index.ts';
import { benchPack } from './stages/pack.ts';
import { benchPending } from './stages/pending.ts';
import { benchRead } from './stages/read.ts';
import { benchScrypt } from './stages/scrypt.ts';
import { benchSplit } from './stages/split.ts';
import { benchWalk } from './stages/walk.ts';

export interface Stage {
  readonly name: string;
  readonly title: string;
  readonly isFull?: boolean;
  readonly run: (options: StageOptions) => Promise<BenchFigure[]>;
}

export const STAGES: readonly Stage[] = Object.freeze([
  { name: 'read', title: 'Reading a file that is in memory', run: benchRead },
  { name: 'split', title: 'Finding cuts', run: benchSplit },
  { name: 'hash', title: 'Hashing contents', run: benchHash },
  { name: 'cipher', title: 'Sealing and opening contents', run: benchCipher },
  { name: 'compress', title: 'Compressing contents', run: benchCompress },
  {
    name: 'index',
    title: 'The index, a million contents',
    run: () => benchIndex({ contents: 1_000_000 }),
  },
  {
    name: 'index-20m',
    title: 'The index, twenty million contents',
    isFull: true,
    run: () => benchIndex({ contents: 20_000_000 }),
  },
  { name: 'pending', title: 'Claiming new contents', run: benchPending },
  { name: 'pack', title: 'Writing packs', run: benchPack },
  { name: 'directory', title: 'Directory objects', run: benchDirectory },
  { name: 'walk', title: 'Walking the source', run: benchWalk },
  { name: 'cache', title: 'Hits of the cache', run: benchCache },
  { name: 'scrypt', title: 'From password to key', run: benchScrypt },
]);
