// What `stevedore queue` and `stevedore nodes` are told: where the controller is, how it is known
// and by which token it knows who asks.

import { oneOf, parseObjectName, parseRemoteAddress, parseText } from '#agent/config-values.ts';
import { CONTROLLER_SETTINGS } from '#agent/controller-settings.ts';
import { type ConfigSources, readSettings, requireNoProblems } from '#agent/read-settings.ts';
import { optional, preset, type SettingValues } from '#agent/setting.ts';
import type { ConnectOptions } from '#kube/kube-config.ts';

export const SETTINGS = Object.freeze({
  namespace: preset('velero', {
    flags: '-n, --namespace <name>',
    variables: ['VELERO_NAMESPACE'],
    text: 'where the controller is looked for',
    parse: parseObjectName,
  }),
  kubeconfig: optional({
    flags: '--kubeconfig <file>',
    // KUBECONFIG is a list, which whoever connects reads.
    variables: [],
    text: 'how to reach the API server (KUBECONFIG)',
    parse: parseText,
  }),
  context: optional({
    flags: '--context <name>',
    variables: [],
    text: 'of the kubeconfig (its current one)',
    parse: parseText,
  }),
  controller: optional({
    flags: '--controller <address>',
    variables: ['STEVEDORE_CONTROLLER'],
    text: 'HOST:PORT of the controller, in place of a tunnel by the API server',
    parse: parseRemoteAddress,
  }),
  controllerCaFile: optional({ ...CONTROLLER_SETTINGS.controllerCaFile, parse: parseText }),
  controllerServerName: optional({
    flags: '--controller-server-name <name>',
    variables: ['STEVEDORE_CONTROLLER_SERVER_NAME'],
    text: 'whom its certificate is for, where it is reached through a tunnel',
    parse: parseText,
  }),
  controllerTokenFile: {
    ...CONTROLLER_SETTINGS.controllerTokenFile,
    text: 'token for the audience stevedore.io/controller',
    parse: parseText,
  },
  controllerPlainText: CONTROLLER_SETTINGS.controllerPlainText,
  output: preset('text', {
    flags: '-o, --output <format>',
    variables: [],
    text: 'text, or json: exactly one document',
    parse: oneOf({ text: 'text', json: 'json' } as const),
  }),
});

export interface CommandSettings extends SettingValues<typeof SETTINGS> {
  /** It is not the one that the kubelet would have put there. */
  readonly controllerTokenGiven: boolean;
  readonly connectOptions: ConnectOptions;
}

export interface CommandHelp {
  readonly name: string;
  readonly summary: string;
  readonly examples: readonly (readonly [text: string, command: string])[];
}

const ACCESS_HELP = `\
In a pod of an agent all of it is there. From elsewhere the controller is reached through a tunnel,
as by kubectl port-forward, with a token of the agents' account and the authority in the Secret of
its certificate. That takes the rights to list pods, create pods/portforward and
serviceaccounts/token, and get that Secret; the last two not where files are given.
Who may ask is for RBAC to say: docs/controller.md.
`;

/** @throws USAGE with all that is wrong; see requireNoProblems */
export function readCommand(
  { name, summary, examples }: CommandHelp,
  sources: ConfigSources,
): { kind: 'settings'; settings: CommandSettings } | { kind: 'text'; text: string } {
  const shown = examples.map(([text, command]) => `  # ${text}\n  $ ${command}\n`).join('\n');
  const epilogue = `Examples:\n${shown}\n${ACCESS_HELP}`;
  const program = { name, summary, epilogue, settings: SETTINGS, isWithoutFile: true };
  const read = readSettings(program, sources);
  if (read.kind === 'text') return read;
  const { values: settings, problems, texts } = read;
  const { controllerPlainText, controllerCaFile } = settings;
  if (
    texts.controller !== undefined &&
    !controllerPlainText &&
    controllerCaFile === undefined &&
    texts.controllerCaFile === undefined
  ) {
    problems.push(
      'there is nothing to know the controller by; give --controller-ca-file, ' +
        'or --controller-plain-text to an address such as 127.0.0.1',
    );
  }
  requireNoProblems(problems);
  const { kubeconfig, context } = settings;
  const connectOptions = { kubeconfig, context, environment: sources.environment };
  const controllerTokenGiven = texts.controllerTokenFile !== undefined;
  return { kind: 'settings', settings: { ...settings, controllerTokenGiven, connectOptions } };
}
