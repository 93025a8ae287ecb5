// Agents of a controller that runs: one that keeps its slots as the agent does, and one that says
// what a test wants it to.

import type { Test } from 'tap';
import { SlotKeeper, type SlotKeeperParts, type Standing } from '#agent/coordinator/slot-keeper.ts';
import { systemClock } from '#engine/base/clock.ts';
import type { AgentMessage, ReadControllerMessage } from '#proto/session-codec.ts';
import type { ClientTrust } from '#proto/dial.ts';
import { SessionClient } from '#proto/session-client.ts';
import { TOKEN_AUDIENCE } from '#proto/wire-limits.ts';
import type { KubeEmulator } from '#test/kube-emulator/kube-emulator.ts';

export interface Target {
  readonly api: KubeEmulator;
  readonly host: string;
  readonly port: number;
  readonly trust: ClientTrust;
}

/** A token as the kubelet mounts it into the agent's pod on `node`. */
export function tokenOf(api: KubeEmulator, node: string): string {
  return api.serviceTokens.issue({
    ...{ namespace: 'velero', serviceAccount: 'stevedore', audiences: [TOKEN_AUDIENCE], node },
    pod: { name: `agent-${node}`, uid: `uid-${node}` },
  });
}

export class KeepingAgent {
  readonly keeper: SlotKeeper;
  readonly started: string[] = [];
  readonly alone: string[] = [];
  readonly standings: Standing['kind'][] = [];
  readonly #watchers = new Set<() => void>();

  constructor(
    t: Test,
    { api, host, port, trust }: Target,
    node: string,
    more: Partial<Pick<SlotKeeperParts, 'shares' | 'heartbeat' | 'reportMs'>> = {},
  ) {
    const token = tokenOf(api, node);
    const end = new AbortController();
    this.keeper = new SlotKeeper({
      ...more,
      address: { host, port },
      access: async () => ({ trust, token }),
      hello: { node, version: 'test', wireVersion: 1, capabilities: [], session: 1 },
      clock: systemClock,
      slotsMax: 2,
      onStart: (ids, isAlone) => this.#note(isAlone ? this.alone : this.started, ids),
      onStop: () => undefined,
      onStanding: ({ kind }) => this.#note(this.standings, [kind]),
    });
    const running = this.keeper.run(end.signal);
    t.teardown(async () => {
      end.abort();
      await running;
    });
  }

  want(id: string, priority = 5): void {
    const volume = { id, namespace: 'a', pod: 'p', storageClass: 'nfs', location: 'default' };
    this.keeper.want({ ...volume, priority, waitedMs: 0 });
  }

  /** When it has been told something after which `isSo`. */
  async until(isSo: () => boolean): Promise<void> {
    while (!isSo()) await new Promise<void>(resolve => this.#watchers.add(resolve));
  }

  #note<Item>(list: Item[], items: readonly Item[]): void {
    list.push(...items);
    const watchers = [...this.#watchers];
    this.#watchers.clear();
    for (const watcher of watchers) watcher();
  }
}

export class SpeakingAgent {
  readonly messages: ReadControllerMessage[] = [];
  readonly #client: SessionClient;
  readonly #watchers = new Set<() => void>();

  constructor(t: Test, { api, ...target }: Target, node: string) {
    this.#client = new SessionClient({
      ...target,
      token: tokenOf(api, node),
      clock: systemClock,
      onMessage: message => {
        this.messages.push(message);
        const watchers = [...this.#watchers];
        this.#watchers.clear();
        for (const watcher of watchers) watcher();
      },
      onEnd: () => undefined,
    });
    t.teardown(() => this.#client.close());
    const hello = { node, version: 'test', wireVersion: 1, session: 1 };
    this.say({ hello });
  }

  say(message: AgentMessage): void {
    this.#client.put(Object.keys(message)[0] ?? '', () => message);
  }

  /** The first that fits, of those that were and those to come. */
  async hears(isIt: (message: ReadControllerMessage) => boolean): Promise<ReadControllerMessage> {
    for (;;) {
      const found = this.messages.find(isIt);
      if (found !== undefined) return found;
      await new Promise<void>(resolve => this.#watchers.add(resolve));
    }
  }
}
