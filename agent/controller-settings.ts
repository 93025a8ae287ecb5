// How a controller is known and who one is to it: of the agent, and of the commands that ask it.

import { parseAbsolutePath, parseBoolean } from './config-values.ts';
import { optional, preset } from './setting.ts';

export const CONTROLLER_SETTINGS = Object.freeze({
  controllerCaFile: optional({
    flags: '--controller-ca-file <file>',
    variables: ['STEVEDORE_CONTROLLER_CA_FILE'],
    text: 'certificates (PEM) to know the controller by; read again for each connection',
    parse: parseAbsolutePath,
  }),
  controllerTokenFile: preset('/var/run/secrets/stevedore.io/controller/token', {
    flags: '--controller-token-file <file>',
    variables: ['STEVEDORE_CONTROLLER_TOKEN_FILE'],
    text: 'token of the service account for the audience stevedore.io/controller',
    parse: parseAbsolutePath,
  }),
  controllerPlainText: preset('false', {
    flags: '--controller-plain-text',
    variables: ['STEVEDORE_CONTROLLER_PLAIN_TEXT'],
    text: 'no TLS, to a controller at an address such as 127.0.0.1 alone',
    parse: parseBoolean,
  }),
});
