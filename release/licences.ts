// The licences of everything that ships: which are allowed, and the document with their texts that
// lies in the image. Packages say theirs in package-lock.json.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ShippedPackage } from './shipped-packages.ts';

/** Permissive ones: they ask for their text to come along, and for nothing of ours. */
export const ALLOWED_LICENCES: ReadonlySet<string> = new Set([
  '0BSD',
  'Apache-2.0',
  'BlueOak-1.0.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'ISC',
  'MIT',
  'MIT/Apache-2.0',
  'PSF-2.0',
  'Unlicense',
]);

const TEXT = /^(licen[cs]e|copying|notice)/i;

/** A line for each package whose licence is not among those. */
export function licenceFaults(packages: readonly ShippedPackage[]): string[] {
  return packages
    .filter(({ licence }) => !ALLOWED_LICENCES.has(licence))
    .map(
      ({ name, version, licence }) =>
        `${name} ${version} has the licence "${licence}", which is not on the list of ` +
        'release/licences.ts; replace the package, or add the licence with a reason',
    );
}

/**
 * One section for each text, headed by all packages that have it.
 * @param modules where `node_modules/` of the packages is
 */
export function licenceDocument(packages: readonly ShippedPackage[], modules: string): string {
  const sections = new Map<string, string[]>();
  for (const shipped of packages) {
    const { name, version, licence, path } = shipped;
    const text = textOf(join(modules, path)) ?? `(The package has no text. It says: ${licence}.)`;
    sections.set(text, [...(sections.get(text) ?? []), `${name} ${version} (${licence})`]);
  }
  const parts = [...sections].map(([text, names]) => `${names.sort().join('\n')}\n\n${text}`);
  const opening = [
    'Stevedore contains the following packages; its own licence is in LICENSE.',
    'Node.js is of the base image, with its own licences.',
  ];
  return [opening.join('\n'), ...parts].join(`\n\n${'-'.repeat(80)}\n\n`) + '\n';
}

function textOf(directory: string): string | undefined {
  const names = readdirSync(directory).filter(name => TEXT.test(name) && !name.endsWith('.js'));
  const texts = names.sort().map(name => readFileSync(join(directory, name), 'utf8').trim());
  return texts.length === 0 ? undefined : texts.join('\n\n').replaceAll('\r\n', '\n');
}
