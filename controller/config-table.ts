// Every setting of the controller, as the agent's are (agent/config-table.ts): `--help` and
// docs/controller.md are made of these rows.

import {
  parseAbsolutePath,
  parseBoolean,
  parseDuration,
  parseListenAddress,
  parseObjectName,
  parseRate,
  parseText,
} from '#agent/config-values.ts';
import { SERVICE_SETTINGS } from '#agent/service-settings.ts';
import { optional, preset, type SettingValues } from '#agent/setting.ts';
import { TOKEN_AUDIENCE } from '#proto/wire-limits.ts';
import { parseRules } from '#controller/annotator/parse-rules.ts';
import {
  parseSlots,
  parseSlotsByName,
  parseStatusAddress,
  parseWindows,
  requireLeaseMs,
} from './setting-values.ts';
import { DEFAULT_LIMITS } from './slots/slot-limits.ts';

export const SETTINGS = Object.freeze({
  listenAddress: preset(':8443', {
    flags: '--listen-address <address>',
    variables: ['STEVEDORE_LISTEN_ADDRESS'],
    text: 'where agents connect',
    parse: parseListenAddress,
  }),
  tlsDir: optional({
    flags: '--tls-dir <dir>',
    variables: ['STEVEDORE_TLS_DIR'],
    text: 'directory with tls.crt and tls.key, as a Secret is mounted; looked at every 10 s',
    parse: parseAbsolutePath,
  }),
  plaintext: preset('false', {
    flags: '--plaintext',
    variables: ['STEVEDORE_PLAINTEXT'],
    text: 'no TLS, at a loopback address alone: for trying things out',
    parse: parseBoolean,
  }),
  namespace: SERVICE_SETTINGS.namespace,
  agentServiceAccount: preset('stevedore', {
    flags: '--agent-service-account <name>',
    variables: ['STEVEDORE_AGENT_SERVICE_ACCOUNT'],
    text: 'whose tokens agents show; of the same namespace',
    parse: parseObjectName,
  }),
  audience: preset(TOKEN_AUDIENCE, {
    flags: '--audience <text>',
    variables: ['STEVEDORE_AUDIENCE'],
    text: 'for which these tokens are made',
    parse: parseText,
  }),
  nothingStuck: preset('true', {
    flags: '--nothing-stuck <boolean>',
    variables: ['STEVEDORE_NOTHING_STUCK'],
    text: 'ends moves whose node or agent is gone, and deletes what moves leave behind',
    parse: parseBoolean,
  }),
  agentAbsence: preset('10m', {
    flags: '--agent-absence <duration>',
    variables: ['STEVEDORE_AGENT_ABSENCE'],
    text: 'for how long the agent of a move is waited for',
    parse: parseDuration,
  }),
  startDeadline: preset('3h55m', {
    flags: '--start-deadline <duration>',
    variables: ['STEVEDORE_START_DEADLINE'],
    text: "by when a move has to begin; a little less than Velero's --fs-backup-timeout",
    parse: parseDuration,
  }),
  clusterSlots: preset(String(DEFAULT_LIMITS.clusterMax), {
    flags: '--cluster-slots <count>',
    variables: ['STEVEDORE_CLUSTER_SLOTS'],
    text: 'how many volumes move at once',
    parse: parseSlots,
  }),
  nodeSlots: optional({
    flags: '--node-slots <count>',
    variables: ['STEVEDORE_NODE_SLOTS'],
    text: 'on each node at most; by default what its agent says: loadConcurrency, or 1',
    parse: parseSlots,
  }),
  storageClassSlots: preset('{}', {
    flags: '--storage-class-slots <yaml>',
    variables: ['STEVEDORE_STORAGE_CLASS_SLOTS'],
    text: 'the same of storage classes, such as {nfs: 2}; others have none of their own',
    isStructured: true,
    parse: parseSlotsByName,
  }),
  locationSlots: preset('{}', {
    flags: '--location-slots <yaml>',
    variables: ['STEVEDORE_LOCATION_SLOTS'],
    text: 'the same of BackupStorageLocations',
    isStructured: true,
    parse: parseSlotsByName,
  }),
  uploadRate: optional({
    flags: '--upload-rate <size>',
    variables: ['STEVEDORE_UPLOAD_RATE'],
    text: 'what all agents together send in a second, such as 200MiB; outside of windows',
    parse: parseRate,
  }),
  downloadRate: optional({
    flags: '--download-rate <size>',
    variables: ['STEVEDORE_DOWNLOAD_RATE'],
    text: 'the same of what they fetch',
    parse: parseRate,
  }),
  rateWindows: preset('[]', {
    flags: '--rate-windows <yaml>',
    variables: ['STEVEDORE_RATE_WINDOWS'],
    text: 'times with other rates: a list of name, from, until, timeZone, uploadRate, downloadRate',
    isStructured: true,
    parse: parseWindows,
  }),
  annotator: preset('false', {
    flags: '--annotator',
    variables: ['STEVEDORE_ANNOTATOR'],
    text: 'annotates pods by rules with what Velero is to back up of them',
    parse: parseBoolean,
  }),
  annotatorDryRun: preset('false', {
    flags: '--annotator-dry-run',
    variables: ['STEVEDORE_ANNOTATOR_DRY_RUN'],
    text: 'writes none of that, and says in the log what it would',
    parse: parseBoolean,
  }),
  annotatorRules: preset('[]', {
    flags: '--annotator-rules <yaml>',
    variables: ['STEVEDORE_ANNOTATOR_RULES'],
    text: 'a list; the first that fits a volume is its rule, none is ignore',
    isStructured: true,
    parse: parseRules,
  }),
  preCopy: preset('false', {
    flags: '--pre-copy',
    variables: ['STEVEDORE_PRE_COPY'],
    text: 'has volumes copied ahead of scheduled backups, of pods that ask for it',
    parse: parseBoolean,
  }),
  leaseName: preset('stevedore-controller', {
    flags: '--lease-name <name>',
    variables: ['STEVEDORE_LEASE_NAME'],
    text: 'the Lease by which one of several controllers leads',
    parse: parseObjectName,
  }),
  leaseDuration: preset('10s', {
    flags: '--lease-duration <duration>',
    variables: ['STEVEDORE_LEASE_DURATION'],
    text: 'how long the others wait for a leader that says nothing',
    parse: (text, what) => requireLeaseMs(parseDuration(text, what), what),
  }),
  metricsAddress: SERVICE_SETTINGS.metricsAddress,
  statusAddress: preset('127.0.0.1:8087', {
    flags: '--status-address <address>',
    variables: ['STEVEDORE_STATUS_ADDRESS'],
    text: 'where the status page is served: a loopback address, or none',
    parse: parseStatusAddress,
  }),
  logLevel: SERVICE_SETTINGS.logLevel,
  logFormat: SERVICE_SETTINGS.logFormat,
  kubeconfig: SERVICE_SETTINGS.kubeconfig,
  kubecontext: SERVICE_SETTINGS.kubecontext,
});

export type ControllerConfig = SettingValues<typeof SETTINGS>;
