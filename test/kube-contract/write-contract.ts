// What a server promises of writes: versions, names, generations, patches, finalizers.

import type { Test } from 'tap';
import {
  CONFIG_MAPS,
  configMap,
  EVENTS,
  PODS,
  SECRETS,
  widget,
  WIDGETS,
  type ConfigMap,
  type ContractScene,
  type Widget,
} from './contract-scene.ts';

/** Subtests of `t`. */
export function writeContract(t: Test, scene: ContractScene): void {
  testCreation(t, scene);
  testReplacing(t, scene);
  testPatches(t, scene);
  testFinalizers(t, scene);
  testBuiltInKinds(t, scene);
}

function testCreation(t: Test, scene: ContractScene): void {
  const { client, namespace } = scene;
  t.test('a new object gets an identity, a version and a generation', async t => {
    const made = await client.create<Widget>(WIDGETS, widget(scene, 'new'));
    t.match(made.metadata, { uid: String, resourceVersion: /^\d+$/, generation: 1 });
    t.match(made.metadata.creationTimestamp, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    const again = client.create(WIDGETS, widget(scene, 'new'));
    await t.rejects(again, { code: 'KUBE_EXISTS' });
  });
  t.test('a generated name is the given one and five letters', async t => {
    const unnamed = {
      metadata: { namespace, name: '', generateName: 'pre-' },
      spec: { color: '' },
    };
    const names = new Set<string>();
    for (let i = 0; i < 3; i++) names.add((await client.create(WIDGETS, unnamed)).metadata.name);
    t.equal(names.size, 3);
    for (const name of names) t.match(name, /^pre-[a-z0-9]{5}$/);
  });
  t.test('what cannot be is refused', async t => {
    const bare = { metadata: { namespace, name: '' }, spec: { color: 'red' } };
    await t.rejects(client.create(WIDGETS, bare), { code: 'KUBE_INVALID' });
    await t.rejects(client.create(WIDGETS, widget(scene, 'Upper')), { code: 'KUBE_INVALID' });
    const elsewhere = { metadata: { namespace: 'not-there', name: 'a' }, spec: { color: 'red' } };
    await t.rejects(client.create(WIDGETS, elsewhere), { code: 'KUBE_NOT_FOUND' });
    const versioned = configMap(scene, 'versioned');
    const metadata = { ...versioned.metadata, resourceVersion: '5' };
    const made = client.create(CONFIG_MAPS, { ...versioned, metadata });
    await t.rejects(made, { message: /resourceVersion should not be set/ });
  });
  t.test('what is absent and what is unknown are told apart', async t => {
    await t.rejects(client.get(WIDGETS, { namespace, name: 'absent' }), { code: 'KUBE_NOT_FOUND' });
    const gadgets = { ...WIDGETS, plural: 'gadgets' };
    await t.rejects(client.list(gadgets, {}), { code: 'KUBE_KIND_UNKNOWN' });
    const strange = { ...WIDGETS, group: 'strange.example.org' };
    await t.rejects(client.list(strange, {}), { code: 'KUBE_KIND_UNKNOWN' });
  });
}

function testReplacing(t: Test, scene: ContractScene): void {
  const { client } = scene;
  t.test('a write under an old version is a conflict', async t => {
    const made = await client.create<Widget>(WIDGETS, widget(scene, 'versions'));
    const next = await client.replace<Widget>(WIDGETS, { ...made, spec: { color: 'green' } });
    t.not(next.metadata.resourceVersion, made.metadata.resourceVersion);
    const late = client.replace(WIDGETS, { ...made, spec: { color: '' } });
    await t.rejects(late, { code: 'KUBE_CONFLICT' });
    const stranger = { ...next, metadata: { ...next.metadata, uid: 'another' } };
    await t.rejects(client.replace(WIDGETS, stranger), { code: 'KUBE_CONFLICT' });
  });
  t.test('a custom resource is not written without a version, a ConfigMap is', async t => {
    await client.create(WIDGETS, widget(scene, 'unversioned'));
    const blind = client.replace(WIDGETS, widget(scene, 'unversioned'));
    await t.rejects(blind, { code: 'KUBE_INVALID' });
    await client.create(CONFIG_MAPS, configMap(scene, 'unversioned'));
    await client.replace(CONFIG_MAPS, configMap(scene, 'unversioned', { is: 'changed' }));
    await t.rejects(client.replace(CONFIG_MAPS, configMap(scene, 'never')), {
      code: 'KUBE_NOT_FOUND',
    });
  });
  t.test('a write that changes nothing makes no version', async t => {
    const made = await client.create<Widget>(WIDGETS, widget(scene, 'same'));
    const written = await client.replace<Widget>(WIDGETS, made);
    t.equal(written.metadata.resourceVersion, made.metadata.resourceVersion);
  });
  t.test('a generation counts what is not metadata, status included', async t => {
    const made = await client.create<Widget>(WIDGETS, widget(scene, 'generations'));
    const started = await client.replace<Widget>(WIDGETS, { ...made, status: { phase: 'Begun' } });
    t.equal(started.metadata.generation, 2);
    t.strictSame(started.status, { phase: 'Begun' });
    const metadata = { ...started.metadata, labels: { a: 'b' } };
    const labelled = await client.replace<Widget>(WIDGETS, { ...started, metadata });
    t.equal(labelled.metadata.generation, 2);
  });
}

function testPatches(t: Test, scene: ContractScene): void {
  const { client, namespace } = scene;
  t.test('a merge patch changes what it names, and takes away by null', async t => {
    const name = { namespace, name: 'merged' };
    const made = await client.create<Widget>(
      WIDGETS,
      widget(scene, 'merged', { spec: { color: 'red', tags: { a: '1', b: '2' } } }),
    );
    const body = { spec: { tags: { a: null, c: '3' } } };
    const patched = await client.patch<Widget>(WIDGETS, name, { type: 'merge', body });
    t.strictSame(patched.spec?.tags, { b: '2', c: '3' });
    t.equal(patched.spec?.color, 'red');
    const { resourceVersion } = made.metadata;
    const late = { type: 'merge', body: { metadata: { resourceVersion } } } as const;
    await t.rejects(client.patch(WIDGETS, name, late), { code: 'KUBE_CONFLICT' });
    const wrong = { type: 'merge', body: { spec: { color: 'blue' } } } as const;
    await t.rejects(client.patch(WIDGETS, name, wrong), { code: 'KUBE_INVALID' });
  });
  t.test('a JSON patch is done as a whole or not at all', async t => {
    const name = { namespace, name: 'operated' };
    await client.create(WIDGETS, widget(scene, 'operated'));
    const good = [
      { op: 'test', path: '/spec/color', value: 'red' },
      { op: 'replace', path: '/spec/color', value: 'green' },
      { op: 'add', path: '/metadata/labels', value: { 'a/b': 'c' } },
      { op: 'remove', path: '/metadata/labels/a~1b' },
      { op: 'add', path: '/spec/parts', value: [{ name: 'first' }] },
      { op: 'add', path: '/spec/parts/-', value: { name: 'last' } },
      // By RFC 6902 an error; the library that API servers use adds it (evanphx/json-patch v4).
      { op: 'replace', path: '/spec/note', value: 'new' },
    ];
    const patched = await client.patch<Widget>(WIDGETS, name, { type: 'json', body: good });
    t.match(patched.spec, {
      color: 'green',
      note: 'new',
      parts: [{ name: 'first' }, { name: 'last' }],
    });
    for (const last of [
      { op: 'test', path: '/spec/color', value: 'red' },
      { op: 'remove', path: '/spec/absent' },
      { op: 'replace', path: '/spec/parts/9', value: { name: 'none' } },
    ]) {
      const body = [{ op: 'replace', path: '/spec/color', value: '' }, last];
      await t.rejects(client.patch(WIDGETS, name, { type: 'json', body }), {
        code: 'KUBE_INVALID',
      });
    }
    t.equal((await client.get<Widget>(WIDGETS, name)).spec?.color, 'green');
  });
}

function testFinalizers(t: Test, scene: ContractScene): void {
  const { client, namespace } = scene;
  t.test('a finalizer holds an object until it is taken away', async t => {
    const name = { namespace, name: 'held' };
    const finalizers = ['example.org/hold', 'example.org/other'];
    await client.create(WIDGETS, widget(scene, 'held', { metadata: { ...name, finalizers } }));
    await client.delete(WIDGETS, name);
    const dying = await client.get<Widget>(WIDGETS, name);
    t.match(dying.metadata, { deletionTimestamp: String, generation: 2 });
    await client.delete(WIDGETS, name);
    const more = { ...dying.metadata, finalizers: [...finalizers, 'example.org/third'] };
    const held = client.replace(WIDGETS, { ...dying, metadata: more });
    await t.rejects(held, { code: 'KUBE_INVALID' });
    const less = { ...dying.metadata, finalizers: finalizers.slice(1) };
    const released = await client.replace<Widget>(WIDGETS, { ...dying, metadata: less });
    const free = { ...released.metadata, finalizers: [] };
    await client.replace(WIDGETS, { ...released, metadata: free });
    await t.rejects(client.get(WIDGETS, name), { code: 'KUBE_NOT_FOUND' });
    await t.rejects(client.delete(WIDGETS, name), { code: 'KUBE_NOT_FOUND' });
  });
  t.test('what is not as it was read is not deleted', async t => {
    const name = { namespace, name: 'changed' };
    const { metadata } = await client.create(CONFIG_MAPS, configMap(scene, 'changed', {}));
    const { metadata: changed } = await client.patch(CONFIG_MAPS, name, {
      ...{ type: 'merge', body: { data: { more: '1' } } },
    });
    for (const asRead of [metadata, { ...changed, uid: 'of-another' }]) {
      const deletion = client.delete(CONFIG_MAPS, name, { asRead });
      await t.rejects(deletion, { code: 'KUBE_CONFLICT' });
    }
    await client.delete(CONFIG_MAPS, name, { asRead: changed });
    await t.rejects(client.get(CONFIG_MAPS, name), { code: 'KUBE_NOT_FOUND' });
  });
  t.test('a pod on a node waits for its kubelet, where it has time for that', async t => {
    const nodeName = 'nowhere';
    const pods = {
      free: { isLeft: false },
      bound: { nodeName, isLeft: true },
      hurried: { nodeName, terminationGracePeriodSeconds: 0, isLeft: false },
    };
    for (const [kind, { isLeft, ...spec }] of Object.entries(pods)) {
      const name = { namespace, name: `pod-${kind}` };
      await client.create(PODS, {
        metadata: name,
        spec: { ...spec, containers: [{ name: 'c', image: 'example.org/i' }] },
      } as ConfigMap);
      await client.delete(PODS, name);
      const left = client.get(PODS, name);
      if (isLeft) t.match((await left).metadata, { deletionTimestamp: String });
      else await t.rejects(left, { code: 'KUBE_NOT_FOUND' }, kind);
    }
  });
}

function testBuiltInKinds(t: Test, scene: ContractScene): void {
  const { client, namespace } = scene;
  t.test('what is written into a secret as text is read as base64', async t => {
    const secret = { metadata: { namespace, name: 'texts' }, stringData: { a: 'text' } };
    const made = await client.create<KubeSecret>(SECRETS, secret);
    t.match(made, { data: { a: 'dGV4dA==' }, type: 'Opaque' });
    t.notOk('stringData' in made);
  });
  t.test('an event lies in the namespace of what it is about', async t => {
    const involvedObject = { kind: 'Widget', namespace, name: 'new', uid: 'u' };
    const event = { metadata: { namespace, name: 'told' }, involvedObject, reason: 'Told' };
    t.match(await client.create(EVENTS, event), { reason: 'Told' });
    const stray = { ...event, involvedObject: { ...involvedObject, namespace: 'kube-system' } };
    const created = client.create(EVENTS, { ...stray, metadata: { namespace, name: 'stray' } });
    await t.rejects(created, { code: 'KUBE_INVALID' });
  });
}

type KubeSecret = ConfigMap & { readonly stringData?: object; readonly type?: string };
