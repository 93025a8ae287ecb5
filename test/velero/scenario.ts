// What each scenario gets, what is looked at in the end, and what is done where it has failed.

import { rmSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import type { Test } from 'tap';
import { type ApiClient, ApiProblem, type ApiObject } from '#test/cluster/api-client.ts';
import type { SeededRandom } from '#test/support/random.ts';
import { doneFilesLeft } from './done-files.ts';
import { VELERO, type AgentKind, type Installation } from './installation.ts';
import { hasEnded } from './moves.ts';

export interface World {
  readonly installation: Installation;
  /** The agent that runs when a scenario begins, and when it ends. */
  readonly agent: AgentKind;
  readonly random: SeededRandom;
}

export interface Scenario {
  /** A sentence that is true of our agent. */
  readonly title: string;
  /** Whether stock passes it as well; where it does, that shows that the test can be passed. */
  readonly isTrueOfStock: boolean;
  /** Why it cannot be played here. */
  readonly skip?: string | false;
  readonly play: (t: Test, world: World) => Promise<void>;
}

const GONE_MS_MAX = 60_000;
const NAMESPACE_MS_MAX = 120_000;
/** A stock agent takes its finalizer away after the write that ends a move. */
const FINALIZERS_MS_MAX = 60_000;
const LOOK_EVERY_MS = 200;
/** Namespaces that are no scenario's. */
const LASTING = /^(default|kube-.*|velero)$/;

/**
 * All moves are at an end, and no finalizer holds one, no pod of a mover remains, and nothing of
 * Velero in a volume that was restored.
 */
export async function checkNothingIsLeft(t: Test, { installation, agent }: World): Promise<void> {
  const { client } = installation;
  for (const kind of ['podvolumebackups', 'podvolumerestores']) {
    const unfinished = (await client.list(`${VELERO}/${kind}`)).filter(each => !hasEnded(each));
    t.same(unfinished.map(nameAndPhase), [], `all ${kind} are at an end`);
    t.same(await heldInTheEnd(client, kind), [], `no finalizer holds one of the ${kind}`);
    const mover = `velero.io/pod-volume-${kind === 'podvolumebackups' ? 'backup' : 'restore'}`;
    const pods = '/api/v1/namespaces/velero/pods';
    for (const { metadata } of await client.list(`${pods}?labelSelector=${mover}`)) {
      await client.untilGone(`${pods}/${metadata.name}`, GONE_MS_MAX);
    }
  }
  if (agent === 'ours') t.same(doneFilesLeft(), [], 'no done file is left in a volume');
}

/** Name and finalizers of those at an end that have some after time enough to lose them. */
async function heldInTheEnd(client: ApiClient, kind: string): Promise<string[]> {
  const end = performance.now() + FINALIZERS_MS_MAX;
  for (;;) {
    // One that is gone meanwhile, such as with its backup, is not held.
    const held = (await client.list(`${VELERO}/${kind}`)).filter(
      each => hasEnded(each) && (each.metadata.finalizers ?? []).length > 0,
    );
    if (held.length === 0 || performance.now() >= end) return held.map(nameAndFinalizers);
    await delay(LOOK_EVERY_MS);
  }
}

/**
 * After a scenario that has failed, wherever it was: the next one begins as if it had not been.
 * Schedules and moves that go on are deleted, and a server is there that knows nothing of them.
 */
export async function clearAway({ installation, agent }: World): Promise<void> {
  const { client } = installation;
  for (const { metadata } of await client.list(`${VELERO}/schedules`)) {
    await client.delete(`${VELERO}/schedules/${metadata.name}`);
  }
  await installation.useAgent(agent);
  for (const kind of ['restores', 'backups', 'podvolumerestores', 'podvolumebackups']) {
    for (const each of (await client.list(`${VELERO}/${kind}`)).filter(each => !hasEnded(each))) {
      const path = `${VELERO}/${kind}/${each.metadata.name}`;
      await client.delete(path);
      // Whose finalizer it is may never come.
      await client.patch(path, { metadata: { finalizers: [] } }).catch(unlessGone);
    }
  }
  await installation.killPods('deploy=velero');
  await installation.untilServerIsThere();
  const namespaces = (await client.list('/api/v1/namespaces'))
    .map(({ metadata }) => `/api/v1/namespaces/${metadata.name}`)
    .filter(path => !LASTING.test(path.slice(path.lastIndexOf('/') + 1)));
  for (const path of namespaces) await client.delete(path);
  for (const path of namespaces) await client.untilGone(path, NAMESPACE_MS_MAX);
  for (const path of doneFilesLeft()) rmSync(path, { recursive: true, force: true });
}

function unlessGone(error: unknown): void {
  if (!(error instanceof ApiProblem && error.status === 404)) throw error;
}

function nameAndFinalizers({ metadata }: ApiObject): string {
  return `${metadata.name} ${(metadata.finalizers ?? []).join()}`;
}

function nameAndPhase({ metadata, status }: ApiObject): string {
  return `${metadata.name} ${String(status?.phase)}`;
}
