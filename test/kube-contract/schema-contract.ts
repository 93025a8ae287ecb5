// What a server does with custom resources by their schema: refuses, fills in, leaves out.

import type { Test } from 'tap';
import { widget, WIDGETS, type ContractScene, type Widget } from './contract-scene.ts';

/** Subtests of `t`. */
export function schemaContract(t: Test, scene: ContractScene): void {
  const { client, namespace } = scene;
  t.test('what a schema forbids is refused, whatever else is right', async t => {
    const specs: Readonly<Record<string, object>> = {
      'a value that is none of the enum': { color: 'blue' },
      'a required field that is missing': { size: 1 },
      'a text where a number belongs': { color: 'red', size: '1' },
      'a fraction where a whole number belongs': { color: 'red', size: 1.5 },
      'a number below the least': { color: 'red', size: -1 },
      'a null where none may be': { color: null },
      'a time that is none': { color: 'red', when: 'yesterday' },
      'a number among texts': { color: 'red', tags: { a: 1 } },
      'a part that lacks its name': { color: 'red', parts: [{ count: 2 }] },
    };
    for (const [what, spec] of Object.entries(specs)) {
      const made = client.create(WIDGETS, widget(scene, 'refused', { spec }));
      await t.rejects(made, { code: 'KUBE_INVALID', details: { status: 422 } }, what);
    }
    const labels = { long: 'x'.repeat(64) };
    const metadata = { namespace, name: 'refused', labels };
    const labelled = client.create(WIDGETS, widget(scene, 'refused', { metadata }));
    await t.rejects(labelled, { code: 'KUBE_INVALID' }, 'a label of 64 characters');
  });
  t.test('what is refused is named', async t => {
    const made = client.create(WIDGETS, widget(scene, 'refused', { spec: { color: 'blue' } }));
    await t.rejects(made, { message: /spec\.color: Unsupported value: "blue"/ });
  });
  t.test('what is missing is filled in, null counts as missing', async t => {
    const spec = { color: 'red', size: null, parts: [{ name: 'a' }, { name: 'b', count: 2 }] };
    const made = await client.create<Widget>(WIDGETS, widget(scene, 'filled', { spec }));
    const parts = [
      { name: 'a', count: 1 },
      { name: 'b', count: 2 },
    ];
    t.strictSame(made.spec, { color: 'red', size: 7, parts });
  });
  t.test('a null stays where it may be', async t => {
    const spec = { color: 'red', note: null, when: null };
    const made = await client.create<Widget>(WIDGETS, widget(scene, 'nulls', { spec }));
    t.strictSame(made.spec, { color: 'red', size: 7, note: null, when: null });
  });
  t.test('what a schema does not know is left out, but where it says otherwise', async t => {
    const spec = {
      color: '',
      extra: 1,
      free: { any: { thing: [1] } },
      parts: [{ name: 'a', x: 1 }],
    };
    const more = { spec, status: { phase: 'Any', extra: 1 }, extra: {} };
    const made = await client.create<Widget>(WIDGETS, widget(scene, 'pruned', more));
    const parts = [{ name: 'a', count: 1 }];
    t.strictSame(made.spec, { color: '', size: 7, free: { any: { thing: [1] } }, parts });
    t.strictSame(made.status, { phase: 'Any' });
    t.notOk('extra' in made);
  });
}
