// Places that are no repository, and repositories that this version must not touch, through the
// command: a code, a message that says what to do, status 1, and nothing changed.

import { randomBytes } from 'node:crypto';
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import t, { type Test } from 'tap';
import type { ErrorCode } from '#engine/base/error-codes.ts';
import { decodeFormatBlob, encodeFormatBlob, type FormatBlob } from '#engine/format/format-blob.ts';
import {
  openRepositoryConfig,
  type RepositoryConfig,
  sealRepositoryConfig,
} from '#engine/format/repository-config.ts';
import { derivePasswordKey } from '#engine/format/repository-key.ts';
import { openFilesystem } from '#engine/storage/filesystem.ts';
import { fastDirectory } from '#test/engine/storage/fast-directory.ts';
import { type Ran, runWords } from '#test/engine/cli/surface.ts';
import { makeSmallRepository, PASSWORD } from './small-repository.ts';

const FORMAT_FILE = 'kopia.repository.f';
const place = fastDirectory(t);
const template = `${place}/template`;
const small = await makeSmallRepository(
  t.testdir(),
  await openFilesystem(template, { create: true }),
);
const blob = decodeFormatBlob(readFileSync(`${template}/${FORMAT_FILE}`));
const key = await derivePasswordKey(blob.keyDerivation, PASSWORD, blob.uniqueId);
const config = openRepositoryConfig(key, blob.sealedConfig);

function run(directory: string, words: string[], password = PASSWORD): Promise<Ran> {
  return runWords([...words, '--threads', '1', '-o', 'json'], {
    environment: { STEVEDORE_REPO: directory, STEVEDORE_PASSWORD: password },
    loadEngine: () => import('#engine/index.ts'),
  });
}

interface Failed {
  readonly error?: { readonly code: ErrorCode; readonly message: string };
}

async function failsWith(
  t: Test,
  directory: string,
  words: string[],
  expected: { readonly code: ErrorCode; readonly advice: RegExp; readonly password?: string },
): Promise<void> {
  const before = readdirSync(directory, { recursive: true }).length;
  const { status, stdout } = await run(directory, words, expected.password);
  const { error } = JSON.parse(stdout) as Failed;
  t.equal(error?.code, expected.code, `${words[0]} ends with ${expected.code}`);
  t.match(error?.message, expected.advice, 'the message says what to do');
  t.equal(status, 1);
  t.equal(readdirSync(directory, { recursive: true }).length, before, 'nothing was written');
}

/** A copy of the repository with another kopia.repository. */
function crafted(name: string, change: Partial<RepositoryConfig>, outer: Partial<FormatBlob> = {}) {
  const directory = `${place}/${name}`;
  cpSync(template, directory, { recursive: true });
  const sealedConfig = sealRepositoryConfig(key, { ...config, ...change }, randomBytes);
  const bytes = encodeFormatBlob({ ...blob, sealedConfig, ...outer });
  writeFileSync(`${directory}/${FORMAT_FILE}`, bytes);
  return directory;
}

const feature = { isOptional: false, message: '', url: '', upgradeToVersion: '9.9' };
const lock = {
  ownerId: 'admin@desk',
  creationTimeNs: 0n,
  advanceNoticeNs: 0n,
  drainTimeoutNs: 1n,
  statusPollIntervalNs: 1n,
  message: 'moving to version 4',
  maxClockDriftNs: 1n,
};

const REFUSED: Readonly<
  Record<string, { change?: object; outer?: object; code: ErrorCode; advice: RegExp }>
> = {
  'a newer format version': {
    change: { version: 4 },
    code: 'REPOSITORY_FORMAT_TOO_NEW',
    advice: /version 4.*use a newer one/,
  },
  'a feature that is needed': {
    change: { requiredFeatures: [{ name: 'teleport', ...feature }] },
    code: 'REPOSITORY_FEATURE_UNSUPPORTED',
    advice: /"teleport".*kopia 9\.9 knows it/,
  },
  'an upgrade under way': {
    change: { upgradeLock: lock },
    code: 'REPOSITORY_UPGRADE_IN_PROGRESS',
    advice: /admin@desk.*wait until/,
  },
  'an unknown hash': {
    change: { hash: 'MD4' },
    code: 'ALGORITHM_UNKNOWN',
    advice: /"MD4".*know.*BLAKE2B-256-128/,
  },
  'an unknown encryption': {
    change: { encryption: 'ROT13' },
    code: 'ALGORITHM_UNKNOWN',
    advice: /"ROT13".*know.*AES256-GCM/,
  },
  'an unknown splitter': {
    change: { splitter: 'AXE' },
    code: 'ALGORITHM_UNKNOWN',
    advice: /"AXE".*know.*DYNAMIC-4M-BUZHASH/,
  },
  'a splitter that only we have': {
    change: { splitter: 'FASTCDC' },
    code: 'ALGORITHM_UNKNOWN',
    advice: /"FASTCDC": this version knows/,
  },
  'an unknown error correction': {
    change: { ecc: 'HOPE', eccOverheadPercent: 2 },
    code: 'ALGORITHM_UNKNOWN',
    advice: /"HOPE": this version knows/,
  },
  'an unknown key derivation': {
    outer: { keyDerivation: 'guess-1' },
    code: 'ALGORITHM_UNKNOWN',
    advice: /"guess-1".*know.*scrypt/,
  },
  'an unknown format encryption': {
    outer: { encryption: 'XOR' },
    code: 'ALGORITHM_UNKNOWN',
    advice: /"XOR".*know.*AES256_GCM/,
  },
};

for (const [name, { change = {}, outer = {}, code, advice }] of Object.entries(REFUSED)) {
  t.test(`${name} is refused by name`, async t => {
    const directory = crafted(name.replaceAll(' ', '-'), change, outer);
    await failsWith(t, directory, ['snapshots'], { code, advice });
  });
}

t.test('a wrong password is refused, for reading and for writing', async t => {
  const expected = {
    code: 'REPOSITORY_PASSWORD_WRONG',
    advice: /check the password/,
    password: 'wrong',
  } as const;
  await failsWith(t, template, ['snapshots'], expected);
  await failsWith(t, template, ['backup', small.changed], expected);
});

t.test('an empty directory and one of other files are no repository', async t => {
  const directory = `${place}/others`;
  mkdirSync(directory);
  const expected = { code: 'REPOSITORY_NOT_FOUND', advice: /repo create/ } as const;
  await failsWith(t, directory, ['snapshots'], expected);
  writeFileSync(`${directory}/notes.txt`, 'kopia.repository');
  await failsWith(t, directory, ['backup', small.source], expected);
  for (const text of ['', '{', '[]', 'null', '{"encryption":7}', 'x'.repeat(70_000)]) {
    writeFileSync(`${directory}/${FORMAT_FILE}`, text);
    const { stdout, status } = await run(directory, ['snapshots']);
    const { error } = JSON.parse(stdout) as Failed;
    t.match(error?.code, /^(REPOSITORY_FORMAT_INVALID|ALGORITHM_UNKNOWN)$/);
    t.equal(status, 1);
  }
});

t.test('what can only be read is read and not written to', async t => {
  const expected = { code: 'REPOSITORY_WRITE_UNSUPPORTED', advice: /write with kopia/ } as const;
  const changes: Record<string, Partial<RepositoryConfig>> = {
    'index-v1': { indexVersion: 1, version: 2 },
    legacy: { epochParameters: { ...config.epochParameters, isEnabled: false } },
    ecc: { ecc: 'REED-SOLOMON-CRC32', eccOverheadPercent: 2 },
  };
  for (const [name, change] of Object.entries(changes)) {
    const directory = crafted(name, change);
    // What was written without error correction cannot be read with it; without blobs there is
    // none.
    if (name === 'ecc')
      for (const kind of 'pqx') rmSync(`${directory}/${kind}`, { recursive: true });
    await failsWith(t, directory, ['backup', small.changed], expected);
  }
  const { status, stdout } = await run(`${place}/index-v1`, ['verify']);
  t.equal(status, 0, 'verify reads it');
  t.match(JSON.parse(stdout), { snapshots: 1, problems: [] });
});
