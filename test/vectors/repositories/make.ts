// Makes the archives beside this file; ../make.sh says how and when. Everything that a test expects
// comes from kopia's own commands and from the sources on disk, nothing from the engine.

import { execFile } from 'node:child_process';
import { mkdir, readFile, readdir, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Kopia } from '#test/support/kopia.ts';
import type {
  ExpectedEntry,
  ExpectedRepository,
  ExpectedSnapshot,
} from '#test/support/recorded-repository.ts';
import { ScratchDirectory } from '#test/support/scratch-directory.ts';
import { type ListedEntry, treeListing } from '#test/support/tree-listing.ts';
import { makeLargeVectorTree, makeVectorTree, wordsText } from './vector-tree.ts';

const run = promisify(execFile);
const ARCHIVES = fileURLToPath(new URL('.', import.meta.url));
const PASSWORD = 'vector-password';

class Making {
  readonly kopia: Kopia;
  readonly place: string;
  readonly source: string;
  readonly repository: string;
  /** Listings of the source, by the snapshots that hold them. */
  readonly listings = new Map<string, readonly ListedEntry[]>();

  constructor(place: string) {
    this.place = place;
    this.source = join(place, 'source');
    this.repository = join(place, 'kept', 'repo');
    this.kopia = new Kopia({ directory: join(place, 'client'), password: PASSWORD });
  }

  async create(...flags: readonly string[]): Promise<void> {
    await mkdir(this.repository, { recursive: true });
    await this.kopia.create(this.repository, ...flags);
  }

  async compress(compressor: string): Promise<void> {
    const flags = [`--compression=${compressor}`, `--metadata-compression=${compressor}`];
    await this.kopia.run('policy', 'set', '--global', ...flags);
  }

  async snapshot(path = this.source, ...flags: readonly string[]): Promise<string> {
    const text = await this.kopia.run('snapshot', 'create', '--json', path, ...flags);
    const { id } = JSON.parse(text) as { id: string };
    this.listings.set(id, await treeListing(path));
    return id;
  }

  async change(): Promise<void> {
    await rm(this.source, { recursive: true });
    await makeVectorTree(this.source, 2);
  }
}

type Steps = (making: Making) => Promise<void>;

const usual =
  (compressor: string, ...flags: readonly string[]): Steps =>
  async making => {
    await making.create(...flags);
    if (compressor !== '') await making.compress(compressor);
    await makeVectorTree(making.source);
    await making.snapshot();
  };

const large =
  (splitter: string, compressor: string): Steps =>
  async making => {
    await making.create(`--object-splitter=${splitter}`);
    await making.compress(compressor);
    await makeLargeVectorTree(making.source);
    await making.snapshot();
  };

const CASES: Readonly<Record<string, Steps>> = {
  default: async making => {
    await usual('')(making);
    await making.change();
    await making.snapshot(making.source, '--tags=colour:blue', '--pin=keep', '--description=two');
  },
  'chacha20-blake3': usual(
    'zstd',
    '--encryption=CHACHA20-POLY1305-HMAC-SHA256',
    '--block-hash=BLAKE3-256',
  ),
  'hmac-sha224-gzip': usual('gzip', '--block-hash=HMAC-SHA224'),
  'hmac-sha3-256-flat': usual('zstd-better-compression', '--block-hash=HMAC-SHA3-256', '--flat'),
  'blake2s-128-s2': usual('s2-default', '--block-hash=BLAKE2S-128'),
  'hmac-sha256-128-pbkdf2-deflate': usual(
    'deflate-default',
    '--block-hash=HMAC-SHA256-128',
    '--format-block-key-derivation-algorithm=pbkdf2-sha256-600000',
  ),
  'format-1-zstd': usual('zstd', '--format-version=1'),
  'format-2-pgzip': usual('pgzip', '--format-version=2'),
  'ecc-10': usual('', '--ecc=REED-SOLOMON-CRC32', '--ecc-overhead-percent=10'),
  'buzhash-128k': large('DYNAMIC-128K-BUZHASH', 'zstd'),
  'rabinkarp-128k': large('DYNAMIC-128K-RABINKARP', 's2-better'),
  'parts-and-file-root': async making => {
    await making.create();
    await making.compress('zstd');
    const flags = ['--global', '--parallel-upload-above-size-mib=1'];
    await making.kopia.run('policy', 'set', ...flags);
    await mkdir(making.source);
    const file = join(making.source, 'parts.txt');
    await writeFile(file, wordsText(1_300_000));
    await writeFile(join(making.source, 'zeros.bin'), new Uint8Array(2 << 20));
    await making.snapshot();
    await making.snapshot(file);
  },
  'deleted-entries': async making => {
    const roots = await forgetFirst(making);
    // The entry stays in the index, marked; that kopia warns of it is right everywhere but here.
    await making.kopia.run('content', 'delete', '--dangerous-commands=enabled', ...roots);
  },
  epochs: async making => {
    await forgetFirst(making);
    await advanceEpochs(making);
  },
};

/** Two snapshots, the first of which is gone again; what nothing needs any more is returned. */
async function forgetFirst(making: Making): Promise<string[]> {
  const { kopia, listings } = making;
  await usual('')(making);
  const [{ id, rootEntry }] = await kopia.snapshots();
  await making.change();
  await making.snapshot();
  await kopia.run('snapshot', 'delete', id, '--delete');
  listings.delete(id);
  return [rootEntry.obj];
}

const EPOCHS = 5;
const INDEX_BLOBS_A_EPOCH = 11;

/** Many index blobs, as old as an epoch must be; maintenance then advances, compacts and drops. */
async function advanceEpochs({ kopia, repository, place }: Making): Promise<void> {
  await kopia.run(
    'repository',
    'set-parameters',
    '--epoch-advance-on-count=10',
    '--epoch-checkpoint-frequency=2',
  );
  const path = join(place, 'short-lived');
  await mkdir(path);
  for (let epoch = 0; epoch < EPOCHS; epoch++) {
    for (let count = 0; count < INDEX_BLOBS_A_EPOCH; count++) {
      await writeFile(join(path, 'file'), `${epoch} ${count}`);
      await kopia.run('snapshot', 'create', path);
    }
    await backdate(join(repository, 'x'), EPOCHS - epoch);
    await kopia.maintain();
  }
  for (const { id, source } of await kopia.snapshots()) {
    if (source.path === path) await kopia.run('snapshot', 'delete', id, '--delete');
  }
  await kopia.maintain();
}

async function backdate(directory: string, days: number): Promise<void> {
  const then = Date.now() / 1000 - days * 2 * 86_400;
  for (const entry of await readdir(directory, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isFile() && (await stat(path)).mtimeMs / 1000 > Date.now() / 1000 - 3600) {
      await utimes(path, then, then);
    }
  }
}

interface RepositoryStatus {
  readonly contentFormat: {
    readonly hash: string;
    readonly encryption: string;
    readonly version: number;
    readonly indexVersion: number;
    readonly epochParameters?: { readonly Enabled?: boolean };
  };
  readonly objectFormat: { readonly splitter: string };
}

async function expectedOf({ kopia, repository, listings }: Making): Promise<ExpectedRepository> {
  const json = async <Value>(...words: readonly string[]): Promise<Value> =>
    // What kopia prints has the form that the caller names, or the tests fail.
    JSON.parse(await kopia.run(...words, '--json')) as Value;
  const { contentFormat, objectFormat } = await json<RepositoryStatus>('repository', 'status');
  const formatBlob = await readFile(join(repository, 'kopia.repository.f'), 'utf8');
  const { keyAlgo } = JSON.parse(formatBlob) as { keyAlgo: string };
  const manifests = await json<ExpectedRepository['manifests']>('manifest', 'list');
  const snapshots: ExpectedSnapshot[] = [];
  for (const snapshot of await json<KopiaSnapshotInFull[]>(
    'snapshot',
    'list',
    '--all',
    '--show-identical',
  )) {
    const { rootEntry, ...head } = snapshot;
    const objectIds = new Map([['.', rootEntry.obj]]);
    if (rootEntry.type === 'd') await collectIds(kopia, { objectIds, directory: '.' });
    const listing = listings.get(head.id) ?? [];
    const entries: ExpectedEntry[] = listing.map(entry => {
      return { ...entry, obj: objectIds.get(entry.path) ?? 'missing' };
    });
    const { id, source, description, startTime, endTime, tags, pins } = head;
    const described = { id, source, description, startTime, endTime, tags, pins };
    snapshots.push({ ...described, rootObject: rootEntry.obj, entries });
  }
  const { hash, encryption, version, indexVersion, epochParameters } = contentFormat;
  const format = { version, hash, encryption, splitter: objectFormat.splitter, indexVersion };
  return {
    password: PASSWORD,
    writtenBy: (await kopia.run('--version')).split(' ')[0],
    keyAlgo,
    format: { ...format, epochs: epochParameters?.Enabled === true },
    manifests: manifests.map(({ id, labels }) => ({ id, labels })),
    snapshots,
  };
}

interface KopiaSnapshotInFull extends Omit<ExpectedSnapshot, 'rootObject' | 'entries'> {
  readonly rootEntry: { readonly obj: string; readonly type: string };
}

/** Object ids of everything below a directory, from its stored JSON. */
async function collectIds(
  kopia: Kopia,
  { objectIds, directory }: { readonly objectIds: Map<string, string>; readonly directory: string },
): Promise<void> {
  const text = await kopia.run('show', objectIds.get(directory) ?? '');
  const { entries } = JSON.parse(text) as {
    entries: { name: string; type: string; obj: string }[] | null;
  };
  for (const { name, type, obj } of entries ?? []) {
    const path = directory === '.' ? name : `${directory}/${name}`;
    objectIds.set(path, obj);
    if (type === 'd') await collectIds(kopia, { objectIds, directory: path });
  }
}

const wanted = process.argv.slice(2);
for (const [name, steps] of Object.entries(CASES)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  await using scratch = await ScratchDirectory.make();
  const making = new Making(scratch.path);
  await steps(making);
  const kept = join(making.place, 'kept');
  const expected = await expectedOf(making);
  await writeFile(join(kept, 'expected.json'), JSON.stringify(expected));
  const contents = await making.kopia.run('content', 'list', '--json', '--deleted');
  await writeFile(join(kept, 'contents.json'), contents);
  const archive = join(ARCHIVES, `${name}.tar.gz`);
  const flags = ['--format=ustar', '--sort=name', '--owner=0', '--group=0', '--numeric-owner'];
  // Diagnostic logs are no part of a repository's state.
  const compress = ['--exclude=./repo/_*', '-I', 'gzip -9n'];
  await run('tar', [...flags, ...compress, '-cf', archive, '-C', kept, '.']);
  console.log(
    `${name}: ${expected.snapshots.length} snapshots, ${(await stat(archive)).size} bytes`,
  );
}
