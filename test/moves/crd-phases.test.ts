// What a CRD allows, as Velero 1.16, 1.17 and 1.18 install it (the parts that are read).

import t from 'tap';
import { hasField, readStatusRules, rulesIn } from '#agent/moves/crd-phases.ts';
import type { CustomResourceDefinition } from '#agent/moves/objects/custom-resource-definition.ts';
import { POD_VOLUME_BACKUPS } from '#agent/moves/objects/pod-volume-backup.ts';
import { PHASES } from '#agent/moves/phases.ts';
import { EngineError } from '#engine/base/errors.ts';
import type { ErrorCode } from '#engine/base/error-codes.ts';
import type { KubeClient } from '#kube/kube-client.ts';
import type { KubeObject } from '#kube/kube-object.ts';

function crdWith(phases: readonly unknown[], fields: readonly string[]): CustomResourceDefinition {
  const others = Object.fromEntries(fields.map(name => [name, {}]));
  const status = { properties: { ...others, phase: { enum: phases } } };
  return {
    metadata: { name: 'podvolumebackups.velero.io' },
    spec: {
      versions: [
        { name: 'v1beta1' },
        { name: 'v1', schema: { openAPIV3Schema: { properties: { status } } } },
      ],
    },
  };
}

const FOUR = ['New', 'InProgress', 'Completed', 'Failed'];

t.test('1.16 has four phases and no incrementalBytes', async t => {
  const rules = rulesIn(crdWith(FOUR, ['snapshotID', 'path']), 'v1');
  t.strictSame([...(rules?.phases ?? [])], FOUR);
  t.equal(rules?.source, 'read');
  t.ok(rules && hasField(rules, 'snapshotID'));
  t.ok(rules && hasField(rules, 'phase'));
  t.notOk(rules && hasField(rules, 'incrementalBytes'));
});

t.test('1.18 has eight, and what comes later is left aside', async t => {
  const rules = rulesIn(crdWith([...PHASES, 'Pondering', 7], ['incrementalBytes']), 'v1');
  t.strictSame([...(rules?.phases ?? [])], PHASES);
  t.ok(rules && hasField(rules, 'incrementalBytes'));
});

t.test('a CRD without phases says nothing', async t => {
  t.equal(rulesIn(crdWith([], []), 'v1'), undefined);
  t.equal(rulesIn(crdWith(FOUR, []), 'v2'), undefined);
  t.equal(rulesIn({ metadata: { name: 'x' } }, 'v1'), undefined);
});

/** A client that has one answer to `get`, and nothing else. */
function answering(answer: KubeObject | ErrorCode): KubeClient {
  const get = async () => {
    if (typeof answer === 'string') throw new EngineError(answer, 'no');
    return answer;
  };
  // Only `get` is called; anything else is a fault that a TypeError shows.
  return { get } as unknown as KubeClient;
}

t.test('where the CRD may not be read, eight phases and any field are assumed', async t => {
  const rules = await readStatusRules(answering('KUBE_FORBIDDEN'), POD_VOLUME_BACKUPS);
  t.strictSame([...rules.phases], PHASES);
  t.equal(rules.source, 'assumed');
  t.ok(hasField(rules, 'incrementalBytes'));
});

t.test('a CRD that cannot be understood is assumed to be new', async t => {
  const rules = await readStatusRules(answering({ metadata: { name: 'x' } }), POD_VOLUME_BACKUPS);
  t.equal(rules.source, 'assumed');
});

t.test('a CRD that is absent, or a server that is away, is an error', async t => {
  for (const code of ['KUBE_NOT_FOUND', 'KUBE_UNAVAILABLE'] as const) {
    await t.rejects(readStatusRules(answering(code), POD_VOLUME_BACKUPS), { code });
  }
});
