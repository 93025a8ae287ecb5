// What each scenario gets, and looks at in the end.

import type { Test } from 'tap';
import type { ApiObject } from '#test/cluster/api-client.ts';
import type { SeededRandom } from '#test/support/random.ts';
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
  readonly play: (t: Test, world: World) => Promise<void>;
}

const GONE_MS_MAX = 60_000;

/** All moves are at an end, and no pod of a mover remains. */
export async function checkNothingIsLeft(t: Test, { installation }: World): Promise<void> {
  const { client } = installation;
  for (const kind of ['podvolumebackups', 'podvolumerestores']) {
    const unfinished = (await client.list(`${VELERO}/${kind}`)).filter(each => !hasEnded(each));
    t.same(unfinished.map(nameAndPhase), [], `all ${kind} are at an end`);
    const mover = `velero.io/pod-volume-${kind === 'podvolumebackups' ? 'backup' : 'restore'}`;
    const pods = '/api/v1/namespaces/velero/pods';
    for (const { metadata } of await client.list(`${pods}?labelSelector=${mover}`)) {
      await client.untilGone(`${pods}/${metadata.name}`, GONE_MS_MAX);
    }
  }
}

function nameAndPhase({ metadata, status }: ApiObject): string {
  return `${metadata.name} ${String(status?.phase)}`;
}
