// The bill of materials of the image, CycloneDX 1.5: what `npm sbom` writes of package-lock.json,
// for one platform, with Node, and with nothing in it that differs between two builds of a commit.

import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { shippedPackages, type ShippedPackage } from './shipped-packages.ts';

const BYTES_MAX = 16 << 20;
const PROGRAM_MS_MAX = 60_000;

type Licences = readonly { readonly license: { readonly id?: string; readonly name?: string } }[];

export interface Component {
  readonly 'bom-ref': string;
  readonly type: string;
  readonly name: string;
  readonly version: string;
  readonly purl: string;
  readonly hashes?: readonly { readonly alg: string; readonly content: string }[];
  readonly licenses: Licences;
}

type NpmComponent = Omit<Component, 'licenses'> & Partial<Pick<Component, 'licenses'>>;

interface Dependency {
  readonly ref: string;
  readonly dependsOn: readonly string[];
}

export interface BillOfMaterials {
  readonly bomFormat: string;
  readonly specVersion: string;
  readonly serialNumber: string;
  readonly version: number;
  readonly metadata: {
    readonly timestamp: string;
    readonly tools: readonly { readonly vendor: string; readonly name: string }[];
    readonly component: Component;
    readonly properties: readonly { readonly name: string; readonly value: string }[];
  };
  readonly components: readonly Component[];
  readonly dependencies: readonly Dependency[];
}

type NpmBill = Omit<BillOfMaterials, 'components'> & {
  readonly components: readonly NpmComponent[];
};

export interface Build {
  readonly root: string;
  readonly architecture: string;
  /** Seconds since 1970. */
  readonly epoch: number;
  readonly nodeVersion: string;
}

export function billOfMaterials(build: Build): BillOfMaterials {
  const given = askNpm(build.root);
  const shipped = shippedPackages(build.root, build.architecture);
  const isShipped = new Set(shipped.map(({ name, version }) => `${name}@${version}`));
  const node = nodeComponent(build.nodeVersion);
  const { component } = given.metadata;
  const own = component['bom-ref'];
  const refs = new Set([own, ...isShipped]);
  const dependencies = given.dependencies
    .filter(({ ref }) => refs.has(ref))
    .map(({ ref, dependsOn }) => ({
      ref,
      dependsOn: [...dependsOn.filter(on => refs.has(on)), ...(ref === own ? [NODE_REF] : [])],
    }));
  return {
    ...given,
    serialNumber: `urn:uuid:${serialOf(build)}`,
    metadata: {
      ...given.metadata,
      timestamp: new Date(build.epoch * 1000).toISOString(),
      // Without the version of npm, which does not change what is in the image.
      tools: [{ vendor: 'npm', name: 'cli' }],
      component: { ...component, type: 'application', name: 'stevedore' },
      properties: [{ name: 'stevedore:platform', value: `linux/${build.architecture}` }],
    },
    components: [
      ...given.components
        .filter(part => isShipped.has(part['bom-ref']))
        .map(part => ({ ...part, licenses: part.licenses ?? namedLicence(part, shipped) })),
      node,
    ],
    dependencies: [...dependencies, { ref: NODE_REF, dependsOn: [] }],
  };
}

const NODE_REF = 'node';

/** npm leaves out what is no SPDX expression, such as `MIT/Apache-2.0`. */
function namedLicence(part: NpmComponent, shipped: readonly ShippedPackage[]): Licences {
  const found = shipped.find(({ name, version }) => part['bom-ref'] === `${name}@${version}`);
  return [{ license: { name: found?.licence } }];
}

function nodeComponent(version: string): Component {
  return {
    'bom-ref': NODE_REF,
    type: 'platform',
    name: 'node',
    version,
    purl: `pkg:generic/node@${version}`,
    licenses: [{ license: { id: 'MIT' } }],
  };
}

/**
 * Of all packages: with `--omit dev` npm 11.19 leaves out whatever we name for development, though
 * it ships as well because another package needs it (protobufjs).
 */
function askNpm(root: string): NpmBill {
  const words = ['sbom', '--sbom-format', 'cyclonedx', '--package-lock-only'];
  const text = execFileSync('npm', words, {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: BYTES_MAX,
    timeout: PROGRAM_MS_MAX,
  });
  return JSON.parse(text) as NpmBill;
}

/** RFC 9562 version 8: bits of our own, here of a hash of what the bill is made from. */
function serialOf({ root, architecture, epoch, nodeVersion }: Build): string {
  const hash = createHash('sha256').update(`${architecture} ${epoch} ${nodeVersion}\n`);
  const bytes = hash.update(readFileSync(join(root, 'package-lock.json'))).digest();
  bytes[6] = (bytes.readUInt8(6) & 0x0f) | 0x80;
  bytes[8] = (bytes.readUInt8(8) & 0x3f) | 0x80;
  return bytes.toString('hex', 0, 16).replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}
