// Every setting of the agent: flag, variable, key in the file, default and meaning are one row
// here. `--help` and docs/configuration.md are made of these rows, so neither can be out of date.

import { parseCacheLimit } from '#engine/cli/cache-options.ts';
import { parseSize } from '#engine/cli/option-values.ts';
import {
  parseAbsolutePath,
  parseBoolean,
  parseDays,
  parseDuration,
  parseHttpUrl,
  parseMemory,
  parseObjectName,
  parseRemoteAddress,
  parseText,
} from './config-values.ts';
import { CONTROLLER_SETTINGS } from './controller-settings.ts';
import { SERVICE_SETTINGS } from './service-settings.ts';
import { parseDataMover } from './data-mover.ts';
import { needed, optional, preset, type SettingValues } from './setting.ts';

/** Stock's first (velero pkg/cmd/cli/nodeagent/server.go), then ours. */
export const SETTINGS = Object.freeze({
  nodeName: needed('set NODE_NAME from the field spec.nodeName of the pod, or give --node-name', {
    flags: '--node-name <name>',
    variables: ['NODE_NAME'],
    text: 'the node whose volumes are moved',
    parse: parseObjectName,
  }),
  namespace: SERVICE_SETTINGS.namespace,
  logLevel: SERVICE_SETTINGS.logLevel,
  logFormat: SERVICE_SETTINGS.logFormat,
  metricsAddress: SERVICE_SETTINGS.metricsAddress,
  nodeAgentConfigmap: optional({
    flags: '--node-agent-configmap <name>',
    variables: ['STEVEDORE_NODE_AGENT_CONFIGMAP'],
    text: 'ConfigMap with loadConcurrency, and what shapes volumes made of snapshots',
    parse: parseObjectName,
  }),
  backupRepositoryConfigmap: optional({
    flags: '--backup-repository-configmap <name>',
    variables: ['STEVEDORE_BACKUP_REPOSITORY_CONFIGMAP'],
    text: 'ConfigMap of the server; read to say which of its keys have no effect here',
    parse: parseObjectName,
  }),
  dataMover: preset('velero', {
    flags: '--data-mover <name>',
    variables: ['STEVEDORE_DATA_MOVER'],
    text: "velero: in place of Velero's agent; stevedore: beside it, for backups that name it",
    parse: parseDataMover,
  }),
  daemonSet: preset('node-agent', {
    flags: '--daemon-set <name>',
    variables: ['STEVEDORE_DAEMON_SET'],
    text: 'the DaemonSet of the agents: whether one follows, and what holders tolerate',
    parse: parseObjectName,
  }),
  holderImage: preset('registry.k8s.io/pause:3.10', {
    flags: '--holder-image <image>',
    variables: ['STEVEDORE_HOLDER_IMAGE'],
    text: 'image of the pods that hold volumes made of snapshots: a program that sleeps',
    parse: parseText,
  }),
  dataMoverPrepareTimeout: preset('30m', {
    flags: '--data-mover-prepare-timeout <duration>',
    variables: ['STEVEDORE_DATA_MOVER_PREPARE_TIMEOUT'],
    text: 'how long an accepted move may wait for what it needs',
    parse: parseDuration,
  }),
  resourceTimeout: preset('10m', {
    flags: '--resource-timeout <duration>',
    variables: ['STEVEDORE_RESOURCE_TIMEOUT'],
    text: 'how long a move waits for a repository to become ready',
    parse: parseDuration,
  }),
  serverVersion: optional({
    flags: '--server-version <version>',
    variables: ['STEVEDORE_SERVER_VERSION'],
    text: "Velero's version, such as v1.18.1; by default the server is asked",
    parse: parseText,
  }),
  kubeconfig: SERVICE_SETTINGS.kubeconfig,
  kubecontext: SERVICE_SETTINGS.kubecontext,
  credentialsFile: optional({
    flags: '--credentials-file <file>',
    variables: ['AWS_SHARED_CREDENTIALS_FILE'],
    text: 'for storage locations that name no credential',
    parse: parseAbsolutePath,
  }),
  hostPods: preset('/host_pods', {
    flags: '--host-pods <dir>',
    variables: ['STEVEDORE_HOST_PODS'],
    text: "the kubelet's pods/, as mounted here",
    parse: parseAbsolutePath,
  }),
  cacheDir: optional({
    flags: '--cache-dir <dir>',
    variables: ['STEVEDORE_CACHE_DIR', 'VELERO_SCRATCH_DIR'],
    text: 'directory for the cache of this node',
    parse: parseAbsolutePath,
  }),
  cacheLimit: optional({
    flags: '--cache-limit <size>',
    variables: ['STEVEDORE_CACHE_LIMIT'],
    text: 'what the cache may take, such as 20GiB or 10% of its disk',
    parse: parseCacheLimit,
  }),
  cacheAllowRootDisk: preset('false', {
    flags: '--cache-allow-root-disk',
    variables: ['STEVEDORE_CACHE_ALLOW_ROOT_DISK'],
    text: 'the cache may lie on the disk of /',
    parse: parseBoolean,
  }),
  cacheEmptyDirSize: optional({
    flags: '--cache-empty-dir-size <size>',
    variables: ['STEVEDORE_CACHE_EMPTY_DIR_SIZE'],
    text: 'sizeLimit of the emptyDir that the cache lies in, above which its pod is evicted',
    parse: parseSize,
  }),
  cacheMemory: optional({
    flags: '--cache-memory <size>',
    variables: ['STEVEDORE_CACHE_MEMORY'],
    text: 'what a cache in memory may take of it; by default a quarter of what the process may',
    parse: parseSize,
  }),
  cacheFloor: optional({
    flags: '--cache-floor <size>',
    variables: ['STEVEDORE_CACHE_FLOOR'],
    text: 'what others cannot take of the cache from a repository',
    parse: parseSize,
  }),
  cacheCeiling: optional({
    flags: '--cache-ceiling <size>',
    variables: ['STEVEDORE_CACHE_CEILING'],
    text: 'what a repository may have of the cache',
    parse: parseSize,
  }),
  cacheDataMin: optional({
    flags: '--cache-data-min <size>',
    variables: ['STEVEDORE_CACHE_DATA_MIN'],
    text: 'a repository or a restore of fewer bytes keeps index and metadata alone',
    parse: parseSize,
  }),
  cacheUnvisitedDays: preset('14', {
    flags: '--cache-unvisited-days <days>',
    variables: ['STEVEDORE_CACHE_UNVISITED_DAYS'],
    text: 'after which a repository that nobody uses goes from the cache',
    parse: parseDays,
  }),
  kubeletConfig: optional({
    flags: '--kubelet-config <file>',
    variables: ['STEVEDORE_KUBELET_CONFIG'],
    text: "whose eviction lines the cache keeps clear of; the node's, where it can be read",
    parse: parseAbsolutePath,
  }),
  kubeletConfigDir: optional({
    flags: '--kubelet-config-dir <dir>',
    variables: ['STEVEDORE_KUBELET_CONFIG_DIR'],
    text: "drop-ins to it, as of the kubelet's --config-dir; the node's, where they can be read",
    parse: parseAbsolutePath,
  }),
  memory: optional({
    flags: '--memory <size>',
    variables: ['STEVEDORE_MEMORY'],
    text: 'what the process may take; by default most of what its control group allows',
    parse: parseMemory,
  }),
  shutdownGrace: preset('25s', {
    flags: '--shutdown-grace <duration>',
    variables: ['STEVEDORE_SHUTDOWN_GRACE'],
    text: 'how long moves may end after SIGTERM; less than the grace period of the pod',
    parse: parseDuration,
  }),
  hostPlugins: optional({
    flags: '--host-plugins <dir>',
    variables: ['STEVEDORE_HOST_PLUGINS'],
    text: "the kubelet's plugins/, as mounted here, for volumes in block mode",
    parse: parseAbsolutePath,
  }),
  controller: optional({
    flags: '--controller <address>',
    variables: ['STEVEDORE_CONTROLLER'],
    text: 'HOST:PORT of the controller that gives slots; without it this node has its own limit',
    parse: parseRemoteAddress,
  }),
  ...CONTROLLER_SETTINGS,
  otlpEndpoint: optional({
    flags: '--otlp-endpoint <url>',
    variables: ['OTEL_EXPORTER_OTLP_ENDPOINT'],
    text: 'OTLP over HTTP of a collector that gets traces of moves; without it there are none',
    parse: parseHttpUrl,
  }),
});

export type SettingName = keyof typeof SETTINGS;

export type AgentConfig = SettingValues<typeof SETTINGS>;

/**
 * Flags of stock's command and of its libraries that change nothing here (velero
 * pkg/client/factory.go, klog's). Starting with them is not an error.
 */
export const INERT_FLAGS: readonly string[] = Object.freeze([
  '--features <list>',
  '--colorized [choice]',
  '-v, --v <level>',
  '--vmodule <list>',
  '--logtostderr [choice]',
  '--alsologtostderr [choice]',
  '--stderrthreshold <level>',
]);
