// What is laid out for the image: the same bytes wherever and however often it is built, for both
// architectures, with its bill of materials and licences.

import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, mkdirSync, readdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { BillOfMaterials } from '#release/bill-of-materials.ts';
import { DOCUMENTS_PLACE, IMAGE_COMMANDS, PACKAGE_PLACE } from '#release/image-parts.ts';
import { shippedPackages } from '#release/shipped-packages.ts';
import { REPOSITORY_ROOT } from '#test/tidy/source-files.ts';

const EPOCH = '1700000000';
const { version } = JSON.parse(
  readFileSync(join(REPOSITORY_ROOT, 'package.json'), 'utf8'),
) as Record<string, string>;

/** What the daemon would be sent, as the Dockerfile has it in /build after `npm ci`. */
function buildPlace(t: Test): string {
  const place = t.testdir({});
  const text = readFileSync(join(REPOSITORY_ROOT, '.dockerignore'), 'utf8');
  for (const [, name = ''] of text.matchAll(/^!(.+)$/gm)) {
    cpSync(join(REPOSITORY_ROOT, name), join(place, name), { recursive: true });
  }
  symlinkSync(join(REPOSITORY_ROOT, 'node_modules'), join(place, 'node_modules'));
  return place;
}

function build(from: string, target: string, ...words: string[]): string {
  const script = join(from, 'release/build-image.ts');
  return execFileSync(process.execPath, [script, target, ...words], {
    env: { ...process.env, SOURCE_DATE_EPOCH: EPOCH },
    encoding: 'utf8',
    stdio: 'pipe',
  });
}

function hashOf(file: string): string {
  return createHash('sha256').update(readFileSync(file)).digest('hex');
}

function documentOf(target: string, name: string): string {
  return readFileSync(join(target, DOCUMENTS_PLACE, name), 'utf8');
}

t.test(
  'two builds in two places, by people with other umasks, are byte for byte the same',
  async t => {
    const outputs = t.testdir({});
    for (const [from, name] of [
      [REPOSITORY_ROOT, 'here'],
      [buildPlace(t), 'there'],
    ] as const) {
      const before = process.umask(name === 'here' ? 0o022 : 0o077);
      try {
        mkdirSync(join(outputs, name));
        build(from, join(outputs, name), '--tar', join(outputs, `${name}.tar`));
      } finally {
        process.umask(before);
      }
    }
    t.equal(hashOf(join(outputs, 'here.tar')), hashOf(join(outputs, 'there.tar')));
    const listed = execFileSync('tar', ['-tvf', join(outputs, 'here.tar')], {
      encoding: 'utf8',
      env: { ...process.env, TZ: 'UTC' },
      maxBuffer: 64 << 20,
    });
    const lines = listed.trimEnd().split('\n');
    // Whoever runs it is not who has built it: the controller is nobody in particular.
    const usual = /^(-rw-r--r--|-rwxr-xr-x|drwxr-xr-x|lrwxrwxrwx) 0\/0 .* 2023-11-14 22:13 /;
    for (const line of lines.filter(line => !usual.test(line))) t.fail(line);
    t.ok(lines.length > 1000);
  },
);

t.test('the command in it is the version of package.json', async t => {
  const target = t.testdir({});
  build(REPOSITORY_ROOT, target);
  for (const command of IMAGE_COMMANDS) {
    const said = execFileSync(process.execPath, [join(target, command), '--version'], {
      encoding: 'utf8',
    });
    t.equal(said, `stevedore ${version}\n`);
  }
});

t.test('an image for arm64 is laid out where nothing of it can run', async t => {
  const target = t.testdir({});
  build(REPOSITORY_ROOT, target, '--arch', 'arm64');
  const place = join(target, PACKAGE_PLACE, 'node_modules/@koromix');
  t.strictSame(readdirSync(place), ['koffi-linux-arm64']);
  const program = readFileSync(join(place, 'koffi-linux-arm64/linux_arm64/koffi.node'));
  // ELF-64 header, e_machine: EM_AARCH64.
  t.equal(program.readUInt16LE(18), 183);
  const compiled = readdirSync(join(target, PACKAGE_PLACE, 'dist')).filter(name =>
    name.endsWith('.compiled'),
  );
  t.strictSame(compiled, []);
  t.throws(() => build(REPOSITORY_ROOT, join(target, 'b'), '--arch', 'arm64', '--compiled'), {
    message: /V8 compiles for/,
  });
});

t.test(
  'the bill of materials has each package that ships, as package-lock.json has it',
  async t => {
    const target = t.testdir({});
    build(REPOSITORY_ROOT, target);
    const bill = JSON.parse(documentOf(target, 'sbom.cdx.json')) as BillOfMaterials;
    t.equal(bill.bomFormat, 'CycloneDX');
    t.match(bill.serialNumber, /^urn:uuid:[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/);
    t.equal(bill.metadata.timestamp, '2023-11-14T22:13:20.000Z');
    t.equal(bill.metadata.component.version, version);
    const packages = shippedPackages(REPOSITORY_ROOT, process.arch);
    for (const { name, version, licence, integrity } of packages) {
      const found = bill.components.find(part => part['bom-ref'] === `${name}@${version}`);
      const [said] = found?.licenses ?? [];
      t.equal(said?.license.id ?? said?.license.name, licence, `${name} ${version}`);
      const [hash] = found?.hashes ?? [];
      const digest = Buffer.from(hash?.content ?? '', 'hex').toString('base64');
      t.equal(`sha512-${digest}`, integrity, `${name} ${version}`);
    }
    const unique = new Set(packages.map(({ name, version }) => `${name}@${version}`));
    t.equal(bill.components.length, unique.size + 1, 'and Node');
    t.match(bill.components.at(-1), { name: 'node', version: process.versions.node });
    const refs = new Set([bill.metadata.component, ...bill.components].map(c => c['bom-ref']));
    t.equal(refs.size, bill.components.length + 1, 'each has a name of its own');
    for (const { ref, dependsOn } of bill.dependencies) {
      for (const one of [ref, ...dependsOn]) if (!refs.has(one)) t.fail(one);
    }
    const licences = documentOf(target, 'third-party-licences.txt');
    for (const { name, version } of packages) t.ok(licences.includes(`${name} ${version} (`), name);
  },
);
