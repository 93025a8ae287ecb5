// Settings that every program of ours has that stays: the same rows in the table of each.

import { oneOf, parseListenAddress, parseObjectName, parseText } from './config-values.ts';
import { optional, preset } from './setting.ts';

/** logrus, which stock uses, has names of its own for two of them. */
const LEVELS = {
  trace: 'trace',
  debug: 'debug',
  info: 'info',
  warn: 'warn',
  warning: 'warn',
  error: 'error',
  fatal: 'fatal',
  panic: 'fatal',
} as const;
const FORMATS = { json: 'json', text: 'text' } as const;

export const SERVICE_SETTINGS = Object.freeze({
  namespace: preset('velero', {
    flags: '-n, --namespace <name>',
    variables: ['VELERO_NAMESPACE'],
    text: "Velero's namespace",
    parse: parseObjectName,
  }),
  logLevel: preset('info', {
    flags: '--log-level <level>',
    variables: ['STEVEDORE_LOG_LEVEL'],
    text: 'trace, debug, info, warning, error or fatal',
    parse: oneOf(LEVELS),
  }),
  logFormat: preset('json', {
    flags: '--log-format <format>',
    variables: ['STEVEDORE_LOG_FORMAT'],
    text: 'json, or text for people',
    parse: oneOf(FORMATS),
  }),
  metricsAddress: preset(':8085', {
    flags: '--metrics-address <address>',
    variables: ['STEVEDORE_METRICS_ADDRESS'],
    text: 'where /metrics, /healthz and /readyz are served',
    parse: parseListenAddress,
  }),
  kubeconfig: optional({
    flags: '--kubeconfig <file>',
    variables: ['KUBECONFIG'],
    text: 'how to reach the API server; in a pod, its service account',
    parse: parseText,
  }),
  kubecontext: optional({
    flags: '--kubecontext <name>',
    variables: ['STEVEDORE_KUBECONTEXT'],
    text: 'which context of the kubeconfig; its current one otherwise',
    parse: parseText,
  }),
});
