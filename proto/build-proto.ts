// `npm run build:proto`: types and descriptor of coordinator.proto, into generated/. With
// `--check`, which `npm run check` asks for, nothing is written, and what lies there has to be the
// same.

import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import protobuf from 'protobufjs';

const HERE = dirname(fileURLToPath(import.meta.url));
const SOURCE = join(HERE, 'coordinator.proto');
const TARGET = join(HERE, 'generated');
const GENERATOR = '@grpc/proto-loader/build/bin/proto-loader-gen-types.js';

/** As CONVERSION in conversion.ts has it. */
const WORDS = [
  '--longs=Number',
  '--defaults',
  '--arrays',
  '--oneofs',
  '--includeComments',
  '--grpcLib=@grpc/grpc-js',
  '--importFileExtension=.ts',
];

/** All files of generated/ by their paths in it. */
export function generate(): Map<string, string> {
  const directory = mkdtempSync(join(tmpdir(), 'build-proto-'));
  try {
    const generator = createRequire(import.meta.url).resolve(GENERATOR);
    // In this folder, so that what it writes names the file and not the machine.
    const words = [generator, basename(SOURCE), ...WORDS, `--outDir=${directory}`];
    execFileSync(process.execPath, words, { cwd: HERE });
    const files = filesBelow(directory);
    files.set('coordinator-descriptor.ts', descriptorText());
    return files;
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** Paths that differ from what lies in generated/, are missing there, or should not be there. */
export function differences(made: ReadonlyMap<string, string>, found: ReadonlyMap<string, string>) {
  const paths = new Set([...made.keys(), ...found.keys()]);
  return [...paths].filter(path => made.get(path) !== found.get(path)).sort();
}

function descriptorText(): string {
  const { root } = protobuf.parse(readFileSync(SOURCE, 'utf8'));
  const json = JSON.stringify(root.toJSON(), undefined, 2);
  const head = '// Original file: coordinator.proto\n\n';
  return `${head}export const COORDINATOR_DESCRIPTOR: object = ${json};\n`;
}

function filesBelow(directory: string): Map<string, string> {
  const paths = readdirSync(directory, { recursive: true, encoding: 'utf8' }).sort();
  const files = paths.filter(path => path.endsWith('.ts'));
  return new Map(files.map(path => [path, readFileSync(join(directory, path), 'utf8')]));
}

function main(): void {
  const made = generate();
  if (process.argv.includes('--check')) {
    const faults = differences(made, filesBelow(TARGET));
    for (const path of faults) process.stderr.write(`proto/generated/${path} is out of date\n`);
    console.log(`proto: ${made.size} files, ${faults.length} faults`);
    process.exitCode = faults.length === 0 ? 0 : 1;
    return;
  }
  rmSync(TARGET, { recursive: true, force: true });
  for (const [path, text] of made) {
    mkdirSync(dirname(join(TARGET, path)), { recursive: true });
    writeFileSync(join(TARGET, path), text);
  }
}

if (import.meta.main) main();
