// The service account of a pod, as client-go reads it (rest/config.go, InClusterConfig). By
// ourselves: the package that reads kubeconfigs could do it, too, and takes 10 MiB of every agent.

import { accessSync, existsSync, readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { isIPv6 } from 'node:net';
import { join } from 'node:path';
import type { AccessSource } from './access-source.ts';

/** Where the kubelet puts what a pod may use. */
const DIRECTORY = '/var/run/secrets/kubernetes.io/serviceaccount';

/** Undefined outside of pods, and in those that have no token. */
export function serviceAccount(
  environment: Readonly<Record<string, string | undefined>>,
  rootDirectory = '',
): AccessSource | undefined {
  const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port = '' } = environment;
  const pathOf = (name: string): string => join(rootDirectory, DIRECTORY, name);
  if (host === undefined || !isReadable(pathOf('token'))) return undefined;
  const namespace = pathOf('namespace');
  return {
    what: 'the service account',
    server: `https://${isIPv6(host) ? `[${host}]` : host}:${port}`,
    namespace: existsSync(namespace) ? readFileSync(namespace, 'utf8').trim() : undefined,
    isProxied: false,
    async read() {
      const token = await readFile(pathOf('token'), 'utf8');
      const ca = await readFile(pathOf('ca.crt'));
      return { headers: { authorization: `Bearer ${token}` }, ca };
    },
  };
}

export function isReadable(path: string): boolean {
  try {
    accessSync(path);
    return true;
  } catch {
    return false;
  }
}
