// The emulator's schemas of Velero's kinds are those of Velero's own releases.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { parse } from 'yaml';
import { isObject, valueAt } from '#test/kube-emulator/json.ts';
import { VELERO_VERSIONS, veleroCrds } from '#test/kube-emulator/velero-crds.ts';
import { clusterProgram, isMissing } from './cluster-programs.ts';
import { VELERO_RELEASES } from './velero-crds.ts';

/** Of other kinds the emulator takes anything. */
const MOVED = ['podvolume', 'data', 'backuprepositories', 'backupstoragelocations'];
/** Said of a schema, but nothing that decides what is taken. */
const WORDS = new Set(['description', 'x-kubernetes-map-type']);

function schemaOf(crd: unknown): unknown {
  const versions = valueAt(crd, ['spec', 'versions']);
  return bare(valueAt(Array.isArray(versions) ? versions[0] : undefined, ['schema']));
}

/** Without words; a list of names in one order. */
function bare(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(bare);
  if (!isObject(value)) return value;
  const entries = Object.entries(value)
    .filter(([key, item]) => !(WORDS.has(key) && typeof item === 'string'))
    .map(([key, item]) => [key, bare(item)] as const);
  return Object.fromEntries(entries);
}

for (const version of VELERO_VERSIONS) {
  const release = VELERO_RELEASES.find(name => name.startsWith(`v${version}.`)) ?? '';
  t.test(`schemas are those of ${release}`, { skip: isMissing('velero-crds') }, async t => {
    for (const crd of veleroCrds(version)) {
      const name = String(valueAt(crd, ['metadata', 'name']));
      const plural = name.split('.', 1)[0] ?? '';
      if (!MOVED.some(prefix => plural.startsWith(prefix))) continue;
      const path = join(clusterProgram('velero-crds'), release, `velero.io_${plural}.yaml`);
      const real: unknown = parse(readFileSync(path, 'utf8'));
      t.strictSame(schemaOf(crd), schemaOf(real), plural);
    }
  });
}
