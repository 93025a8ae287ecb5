// Which Velero server is above us, and whether it waits for ever for a Canceled PodVolumeBackup.
//
// Servers 1.17.0 to 1.18.2 do not count the change to Canceled, and the backup stands still until
// its deadline, when all of its volumes are forgotten (Velero pkg/podvolume/backupper.go; corrected
// by pull request 10037 in 1.18.3-rc.1). A server of 1.16 knows no Canceled at all.

import type { Clock } from '#engine/base/clock.ts';
import { isEngineError } from '#engine/base/errors.ts';
import type { KubeClient } from '#kube/kube-client.ts';
import { SERVER_STATUS_REQUESTS } from './objects/server-status-request.ts';
import type { ServerStatusRequest } from './objects/server-status-request.ts';

const VERSION = /^v?(\d+)\.(\d+)\.(\d+)(?:-(.+))?$/;
/** The first release that counts Canceled. */
const COUNTS_SINCE = Object.freeze([1, 18, 3]);

/**
 * True for a release, or a release candidate, that is known to count Canceled. Anything else, such
 * as a build of a branch or of a vendor, may have been cut before the correction.
 */
export function countsCanceled(version: string | undefined): boolean {
  const match = VERSION.exec(version ?? '');
  if (!match) return false;
  const [, major, minor, patch, suffix] = match;
  if (suffix !== undefined && !/^rc\.\d+$/.test(suffix)) return false;
  const numbers = [major, minor, patch].map(Number);
  const index = numbers.findIndex((number, place) => number !== COUNTS_SINCE[place]);
  return index === -1 || (numbers[index] ?? 0) > (COUNTS_SINCE[index] ?? 0);
}

export interface ServerVersionComponents {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly namespace: string;
  /** Of the operator; then nobody is asked. */
  readonly setting?: string;
}

/** An answer is good for that long: a server may be replaced while we run. */
const ANSWER_MS = 5 * 60_000;
const WAIT_MS_MAX = 5_000;
const POLL_MS = 250;

/** Asks the server when it matters, which is rare: when a move is cancelled. */
export class ServerVersion {
  readonly #components: ServerVersionComponents;
  #answer: { readonly version: string | undefined; readonly at: number } | undefined;
  #question: Promise<string | undefined> | undefined;

  constructor(components: ServerVersionComponents) {
    this.#components = components;
  }

  /** Undefined when the server does not answer within five seconds, or may not be asked. */
  async current(signal?: AbortSignal): Promise<string | undefined> {
    const { clock, setting } = this.#components;
    if (setting !== undefined) return setting;
    const answer = this.#answer;
    if (answer !== undefined && clock.monotonic() - answer.at < ANSWER_MS) return answer.version;
    this.#question ??= this.#ask(signal).finally(() => {
      this.#question = undefined;
    });
    return this.#question;
  }

  async #ask(signal?: AbortSignal): Promise<string | undefined> {
    const version = await this.#request(signal);
    this.#answer = { version, at: this.#components.clock.monotonic() };
    return version;
  }

  async #request(signal?: AbortSignal): Promise<string | undefined> {
    const { client, namespace } = this.#components;
    try {
      const question = await client.create<ServerStatusRequest>(
        SERVER_STATUS_REQUESTS,
        {
          apiVersion: 'velero.io/v1',
          kind: 'ServerStatusRequest',
          // The server fills the name in; metadata.name is '' in what is sent.
          metadata: { name: '', generateName: 'node-agent-', namespace },
          spec: {},
        },
        { signal },
      );
      return await this.#poll(question.metadata.name, signal);
    } catch (error) {
      // Not knowing is an answer: then Canceled is not written. Only KUBE_… errors come from here.
      if (isEngineError(error) && error.code !== 'ABORTED') return undefined;
      throw error;
    }
  }

  async #poll(name: string, signal?: AbortSignal): Promise<string | undefined> {
    const { client, clock, namespace } = this.#components;
    for (let waited = 0; waited < WAIT_MS_MAX; waited += POLL_MS) {
      const { status } = await client.get<ServerStatusRequest>(
        SERVER_STATUS_REQUESTS,
        { namespace, name },
        { signal },
      );
      if (status?.phase === 'Processed') return status.serverVersion;
      await clock.sleep(POLL_MS, signal);
    }
    // A server removes what it has answered; nobody else would remove this one.
    await client.delete(SERVER_STATUS_REQUESTS, { namespace, name }, { signal });
    return undefined;
  }
}
