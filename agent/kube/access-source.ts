// Where requests to an API server get what lets them in: a service account (service-account.ts) or
// a kubeconfig (kube-config.ts).

import type { RequestOptions } from 'node:https';

export interface AccessSource {
  /** For messages. */
  readonly what: string;
  /** As it is written there. */
  readonly server: string;
  readonly namespace: string | undefined;
  /** What it gives has an agent that knows the way through a proxy. */
  readonly isProxied: boolean;
  /** Headers and TLS as they are now. Throws what reading files throws. */
  read(): Promise<RequestOptions>;
}
