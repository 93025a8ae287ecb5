// What `stevedore queue` and `stevedore nodes` are told: where the controller is, how it is known
// and by which token it knows who asks.

import { oneOf, parseRemoteAddress, parseText } from '#agent/config-values.ts';
import { CONTROLLER_SETTINGS } from '#agent/controller-settings.ts';
import { type ConfigSources, readSettings, requireNoProblems } from '#agent/read-settings.ts';
import { needed, optional, preset, type SettingValues } from '#agent/setting.ts';

export const SETTINGS = Object.freeze({
  controller: needed(
    'no controller is named; give --controller HOST:PORT, or set STEVEDORE_CONTROLLER',
    {
      flags: '--controller <address>',
      variables: ['STEVEDORE_CONTROLLER'],
      text: 'HOST:PORT of the controller',
      parse: parseRemoteAddress,
    },
  ),
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

export type CommandSettings = SettingValues<typeof SETTINGS>;

export interface CommandHelp {
  readonly name: string;
  readonly summary: string;
  readonly examples: readonly (readonly [text: string, command: string])[];
}

const ACCESS_HELP = `\
In a pod of an agent all of it is there. From elsewhere, through a tunnel:
  $ kubectl -n velero port-forward svc/stevedore-controller 8443 &
  $ kubectl -n velero create token stevedore --audience stevedore.io/controller > token
  $ kubectl -n velero get secret stevedore-controller-tls \\
      -o 'go-template={{index .data "ca.crt" | base64decode}}' > ca.crt
  $ export STEVEDORE_CONTROLLER=127.0.0.1:8443 STEVEDORE_CONTROLLER_CA_FILE=ca.crt \\
      STEVEDORE_CONTROLLER_SERVER_NAME=stevedore-controller.velero.svc \\
      STEVEDORE_CONTROLLER_TOKEN_FILE=token
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
  return { kind: 'settings', settings };
}
