// What a server promises of reads: lists and their pages, selectors, the order of a watch.

import type { Test } from 'tap';
import type { WatchEvent } from '#kube/kube-client.ts';
import {
  CONFIG_MAPS,
  configMap,
  PODS,
  widget,
  WIDGETS,
  type ConfigMap,
  type ContractScene,
  type Widget,
} from './contract-scene.ts';

/** Subtests of `t`. */
export function readContract(t: Test, scene: ContractScene): void {
  testLists(t, scene);
  testSelectors(t, scene);
  testWatches(t, scene);
  testEndsOfWatches(t, scene);
}

interface RawList {
  readonly metadata: { readonly resourceVersion: string; readonly continue?: string };
  readonly items: readonly ConfigMap[];
}

function testLists(t: Test, scene: ContractScene): void {
  const { client, namespace } = scene;
  t.test('pages are of one version, in the order of names', async t => {
    for (const name of ['page-c', 'page-a', 'page-b']) {
      await client.create(CONFIG_MAPS, configMap(scene, name, { in: 'pages' }));
    }
    const path = `/api/v1/namespaces/${namespace}/configmaps?labelSelector=in%3Dpages&limit=2`;
    const first = await client.read<RawList>(path);
    await client.create(CONFIG_MAPS, configMap(scene, 'page-d', { in: 'pages' }));
    const token = encodeURIComponent(first.metadata.continue ?? '');
    const second = await client.read<RawList>(`${path}&continue=${token}`);
    const names = [...first.items, ...second.items].map(({ metadata }) => metadata.name);
    t.strictSame(names, ['page-a', 'page-b', 'page-c']);
    t.equal(second.metadata.resourceVersion, first.metadata.resourceVersion);
    t.notOk(second.metadata.continue);
    t.notOk('kind' in (first.items[0] ?? {}), 'items of built-in kinds come without it');
  });
  t.test('what is discovered has custom resources too', async t => {
    const accept = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';
    const document = await client.read<object>('/apis', { accept });
    t.match(document, { kind: 'APIGroupDiscoveryList' });
    t.match(JSON.stringify(document), /"resource":"widgets"/);
  });
}

function testSelectors(t: Test, scene: ContractScene): void {
  const { client, namespace } = scene;
  t.test('labels are selected by equality and by sets', async t => {
    const labels: Record<string, Record<string, string>> = {
      'label-1': { of: 'selectors', tier: 'a', odd: '' },
      'label-2': { of: 'selectors', tier: 'b' },
      'label-3': { of: 'selectors' },
    };
    for (const [name, own] of Object.entries(labels)) {
      await client.create(CONFIG_MAPS, configMap(scene, name, own));
    }
    const cases: Readonly<Record<string, string>> = {
      'tier=a': '1',
      'tier==a': '1',
      'tier!=a': '23',
      'tier in (a, b)': '12',
      'tier notin (a)': '23',
      tier: '12',
      '!tier': '3',
      'odd=': '1',
      'tier in (a,b),odd': '1',
    };
    for (const [selector, expected] of Object.entries(cases)) {
      const labelSelector = `of=selectors,${selector}`;
      const { items } = await client.list(CONFIG_MAPS, { namespace, labelSelector });
      t.equal(items.map(({ metadata }) => metadata.name.slice(-1)).join(''), expected, selector);
    }
    const broken = client.list(CONFIG_MAPS, { namespace, labelSelector: 'a in' });
    await t.rejects(broken, { code: 'KUBE_INVALID' });
  });
  t.test('fields that are selected are few', async t => {
    await client.create(WIDGETS, widget(scene, 'field-1'));
    await client.create(WIDGETS, widget(scene, 'field-2'));
    const one = await client.list(WIDGETS, { fieldSelector: 'metadata.name=field-1', namespace });
    t.equal(one.items.length, 1);
    const other = await client.list(WIDGETS, {
      fieldSelector: `metadata.name!=field-1,metadata.namespace=${namespace}`,
    });
    t.ok(other.items.every(({ metadata }) => metadata.name !== 'field-1'));
    t.ok(other.items.some(({ metadata }) => metadata.name === 'field-2'));
    const refused = client.list(WIDGETS, { fieldSelector: 'spec.color=red', namespace });
    await t.rejects(refused, { code: 'KUBE_INVALID' });
  });
  t.test('pods are selected by node and by phase', async t => {
    const spec = { nodeName: 'field-node', containers: [{ name: 'c', image: 'example.org/i' }] };
    await client.create(PODS, { metadata: { namespace, name: 'on-node' }, spec } as ConfigMap);
    for (const [fieldSelector, count] of [
      ['spec.nodeName=field-node', 1],
      ['spec.nodeName=field-node,status.phase=Pending', 1],
      ['spec.nodeName=field-node,status.phase!=Pending', 0],
    ] as const) {
      t.equal((await client.list(PODS, { fieldSelector })).items.length, count, fieldSelector);
    }
  });
}

function testWatches(t: Test, scene: ContractScene): void {
  const { client, namespace } = scene;
  t.test('a watch replays what it missed, in order, under growing versions', async t => {
    const { resourceVersion } = await client.list(WIDGETS, { namespace });
    const made = await client.create<Widget>(WIDGETS, widget(scene, 'watched'));
    await client.replace<Widget>(WIDGETS, { ...made, spec: { color: 'green' } });
    await client.delete(WIDGETS, { namespace, name: 'watched' });
    const query = { namespace, resourceVersion };
    const events = await take(client.watch<Widget>(WIDGETS, query), 3);
    t.strictSame(events.map(tell), ['ADDED watched', 'MODIFIED watched', 'DELETED watched']);
    const versions = events.map(({ object }) => Number(object.metadata.resourceVersion));
    t.strictSame(
      versions.toSorted((a, b) => a - b),
      versions,
    );
    t.equal(new Set(versions).size, 3, 'a deletion has a version of its own');
    t.equal(events[2]?.object.spec?.color, 'green', 'and shows the object as it was last');
    t.match(events[0]?.object, { kind: 'Widget', apiVersion: 'contract.example.org/v1' });
  });
  t.test('what begins to fit a selector is added, what ceases to is deleted', async t => {
    const labelSelector = 'shows=yes';
    const { resourceVersion } = await client.list(CONFIG_MAPS, { namespace, labelSelector });
    await client.create(CONFIG_MAPS, configMap(scene, 'fits', { shows: 'no' }));
    await client.replace(CONFIG_MAPS, configMap(scene, 'fits', { shows: 'yes' }));
    await client.replace(CONFIG_MAPS, configMap(scene, 'fits', { shows: 'yes', more: '1' }));
    const last = await client.replace(CONFIG_MAPS, configMap(scene, 'fits', { shows: 'no' }));
    const query = { namespace, labelSelector, resourceVersion };
    const events = await take(client.watch<ConfigMap>(CONFIG_MAPS, query), 3);
    t.strictSame(events.map(tell), ['ADDED fits', 'MODIFIED fits', 'DELETED fits']);
    const { labels, resourceVersion: version } = events[2]?.object.metadata ?? {};
    t.equal(labels?.shows, 'yes', 'as it was when it fitted');
    t.equal(version, last.metadata.resourceVersion, 'under the version that made it cease');
  });
}

function testEndsOfWatches(t: Test, scene: ContractScene): void {
  const { client, namespace } = scene;
  t.test('a version that is too old is expired', async t => {
    await client.create(WIDGETS, widget(scene, 'aged'));
    const query = { namespace, resourceVersion: scene.oldVersion() };
    const watch = client.watch(WIDGETS, query)[Symbol.asyncIterator]();
    await t.rejects(watch.next(), { code: 'KUBE_EXPIRED' });
  });
  t.test('a bookmark has a version from which a watch goes on', async t => {
    const labelSelector = 'marked=yes';
    const { resourceVersion } = await client.list(WIDGETS, { namespace, labelSelector });
    const watch = client.watch<Widget>(WIDGETS, { namespace, labelSelector, resourceVersion });
    const events = watch[Symbol.asyncIterator]();
    let isOver = false;
    const next = events.next().finally(() => (isOver = true));
    // A bookmark comes only where something has happened to the kind since the watch began
    // (k8s.io/apiserver pkg/storage/cacher/cache_watcher.go process), and not at once.
    for (let index = 0; !isOver; index++) {
      await client.create(WIDGETS, widget(scene, `unmarked-${index}`));
      scene.askForBookmarks();
      await new Promise(resolve => setTimeout(resolve, Math.min(500, 10 * index)));
    }
    const { value } = (await next) as { value: WatchEvent<Widget> }; // It has not ended.
    await events.return?.();
    t.equal(value.type, 'BOOKMARK');
    if (value.type !== 'BOOKMARK') return;
    t.ok(Number(value.resourceVersion) > Number(resourceVersion));
    const metadata = { namespace, name: 'after-bookmark', labels: { marked: 'yes' } };
    await client.create(WIDGETS, widget(scene, 'after-bookmark', { metadata }));
    const query = { namespace, labelSelector, resourceVersion: value.resourceVersion };
    const [first] = await take(client.watch<Widget>(WIDGETS, query), 1);
    t.equal(first && tell(first), 'ADDED after-bookmark');
  });
}

type ChangeEvent<Item extends ConfigMap> = Exclude<WatchEvent<Item>, { type: 'BOOKMARK' }>;

async function take<Item extends ConfigMap>(
  watch: AsyncIterable<WatchEvent<Item>>,
  count: number,
): Promise<ChangeEvent<Item>[]> {
  const events: ChangeEvent<Item>[] = [];
  for await (const event of watch) {
    if (event.type !== 'BOOKMARK') events.push(event);
    if (events.length === count) break;
  }
  return events;
}

function tell({ type, object }: ChangeEvent<ConfigMap>): string {
  return `${type} ${object.metadata.name}`;
}
