// What can go wrong between a client and an API server, on demand: a fault waits for requests that
// it fits, and strikes as often as it is told to.

import type { KubeVerb } from '#kube/request-target.ts';

export type FaultEffect =
  /** 409, as if somebody had been faster. */
  | { readonly type: 'conflict' }
  | { readonly type: 'status'; readonly code: number; readonly reason?: string }
  /** 429 with Retry-After, in whole seconds. */
  | { readonly type: 'throttle'; readonly retryAfterSeconds: number }
  /** The connection breaks before anything is done. */
  | { readonly type: 'reset' }
  /** It is done, and then the connection breaks. */
  | { readonly type: 'lost-answer' }
  /** Nothing is done and nothing is answered, until the client goes. */
  | { readonly type: 'silence' };

export interface Fault {
  readonly effect: FaultEffect;
  readonly verb?: KubeVerb;
  readonly plural?: string;
  readonly namespace?: string;
  readonly name?: string;
  /** Once by default; Infinity until it is removed. */
  readonly times?: number;
  /** So many fitting requests are spared first. */
  readonly after?: number;
  /** Strikes only where this is true, such as once in ten times by a seeded generator. */
  readonly when?: () => boolean;
}

export interface FaultedRequest {
  readonly verb: KubeVerb;
  readonly plural: string;
  readonly namespace?: string;
  readonly name?: string;
}

export class InjectedFault {
  /** How often it has struck. */
  count = 0;
  readonly fault: Fault;
  #spared = 0;

  constructor(fault: Fault) {
    this.fault = fault;
  }

  /** True when it strikes now. */
  strikes(request: FaultedRequest): boolean {
    const { fault } = this;
    const fits = (['verb', 'plural', 'namespace', 'name'] as const).every(
      key => fault[key] === undefined || fault[key] === request[key],
    );
    if (!fits || this.count >= (fault.times ?? 1)) return false;
    if (this.#spared < (fault.after ?? 0)) {
      this.#spared++;
      return false;
    }
    if (fault.when !== undefined && !fault.when()) return false;
    this.count++;
    return true;
  }
}

export class Faults {
  /** Each request is taken up after that time, as over a network. */
  delayMs = 0;
  readonly #injected = new Set<InjectedFault>();

  /** Its `count` tells how often it has struck. */
  inject(fault: Fault): InjectedFault {
    const injected = new InjectedFault(fault);
    this.#injected.add(injected);
    return injected;
  }

  remove(injected: InjectedFault): void {
    this.#injected.delete(injected);
  }

  clear(): void {
    this.#injected.clear();
  }

  /** The first that strikes. */
  effectOn(request: FaultedRequest): FaultEffect | undefined {
    for (const injected of this.#injected) {
      if (injected.strikes(request)) return injected.fault.effect;
    }
    return undefined;
  }
}
