// The backup-repository ConfigMap of Velero (1.18 pkg/repository/udmrepo/repo_options.go) is the
// server's. Of its keys the cache limit would concern the agent, which has one cache for all
// repositories: said once, since whoever set it expects something.

import { isEngineError, messageOf } from '#engine/base/errors.ts';
import type { KubeClient } from '#kube/kube-client.ts';
import { CONFIG_MAPS } from '#kube/core-resources.ts';
import type { KubeObject } from '#kube/kube-object.ts';
import type { AgentConfig } from './config-table.ts';
import type { Log } from './log.ts';

interface ConfigMap extends KubeObject {
  readonly data?: Readonly<Record<string, string>>;
}

const CACHE_KEY = 'cacheLimitMB';
const ABOUT_CACHE = 'one cache serves all repositories; see --cache-limit';

/** What of the ConfigMap has no effect here; the values are JSON, by type of repository. */
export function noticesOf(data: ConfigMap['data']): string[] {
  return Object.entries(data ?? {}).flatMap(([type, text]) => {
    try {
      const keys: unknown = JSON.parse(text);
      const hasLimit = typeof keys === 'object' && keys !== null && CACHE_KEY in keys;
      return hasLimit ? [`${type}.${CACHE_KEY} has no effect: ${ABOUT_CACHE}`] : [];
    } catch (error) {
      return [`${type} is no JSON: ${messageOf(error)}`];
    }
  });
}

/** @throws KUBE_UNAVAILABLE, ABORTED */
export async function sayRepositoryConfig(
  { client, log }: { readonly client: Pick<KubeClient, 'get'>; readonly log: Log },
  {
    namespace,
    backupRepositoryConfigmap: name,
  }: Pick<AgentConfig, 'namespace' | 'backupRepositoryConfigmap'>,
  signal: AbortSignal,
): Promise<void> {
  if (name === undefined) return;
  try {
    const { data } = await client.get<ConfigMap>(CONFIG_MAPS, { namespace, name }, { signal });
    for (const notice of noticesOf(data)) {
      log.warn({ configMap: name, notice }, 'setting without effect');
    }
  } catch (error) {
    if (!isEngineError(error, 'KUBE_NOT_FOUND', 'KUBE_FORBIDDEN')) throw error;
    log.error({ configMap: name, error }, 'the ConfigMap cannot be read');
  }
}
