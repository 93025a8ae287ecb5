// The node-agent ConfigMap of Velero, and how many moves this node may run at once by it and by the
// labels of the node. What cannot be read is said, and one at a time is what is left.

import { type EngineError, isEngineError } from '#engine/base/errors.ts';
import {
  concurrencyFor,
  DEFAULT_CONFIG,
  type NodeAgentConfig,
  parseNodeAgentConfig,
} from '#agent/moves/node-agent-config.ts';
import type { KubeClient } from '#kube/kube-client.ts';
import { CONFIG_MAPS, NODES } from '#kube/core-resources.ts';
import type { KubeObject } from '#kube/kube-object.ts';
import type { AgentConfig } from './config-table.ts';
import type { Log } from './log.ts';

export interface NodeSettingsParts {
  readonly client: Pick<KubeClient, 'get'>;
  readonly log: Log;
}

interface ConfigMap extends KubeObject {
  readonly data?: Readonly<Record<string, string>>;
}

type Settings = Pick<AgentConfig, 'namespace' | 'nodeName' | 'nodeAgentConfigmap'>;

export interface NodeSettings extends Pick<NodeAgentConfig, 'exposure' | 'prepareQueueLength'> {
  readonly slotCount: number;
}

/** @throws KUBE_UNAVAILABLE, ABORTED */
export async function readNodeSettings(
  parts: NodeSettingsParts,
  settings: Settings,
  signal: AbortSignal,
): Promise<NodeSettings> {
  const config = await readConfigMap(parts, settings, signal);
  const { rules, globalConcurrency, exposure, prepareQueueLength } = config;
  const slotCount =
    rules.length === 0
      ? globalConcurrency
      : concurrencyFor(config, await labelsOfNode(parts, settings, signal));
  return { slotCount, exposure, prepareQueueLength };
}

async function readConfigMap(
  { client, log }: NodeSettingsParts,
  { namespace, nodeAgentConfigmap: name }: Settings,
  signal: AbortSignal,
): Promise<NodeAgentConfig> {
  if (name === undefined) return DEFAULT_CONFIG;
  try {
    const { data } = await client.get<ConfigMap>(CONFIG_MAPS, { namespace, name }, { signal });
    const { config, notices, problems } = parseNodeAgentConfig(data);
    for (const notice of notices) log.warn({ configMap: name, notice }, 'setting without effect');
    for (const problem of problems)
      log.error({ configMap: name, problem }, 'setting not understood');
    return config;
  } catch (error) {
    if (!isGone(error)) throw error;
    log.error({ configMap: name, error }, 'the ConfigMap cannot be read; one move runs at a time');
    return DEFAULT_CONFIG;
  }
}

async function labelsOfNode(
  { client, log }: NodeSettingsParts,
  { nodeName: name }: Settings,
  signal: AbortSignal,
): Promise<Readonly<Record<string, string>>> {
  try {
    const { metadata } = await client.get<KubeObject>(NODES, { name }, { signal });
    return metadata.labels ?? {};
  } catch (error) {
    if (!isGone(error)) throw error;
    log.error({ error }, 'the node cannot be read; rules by its labels do not count');
    return {};
  }
}

function isGone(error: unknown): error is EngineError {
  return isEngineError(error, 'KUBE_NOT_FOUND', 'KUBE_FORBIDDEN');
}
