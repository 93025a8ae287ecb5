// stevedore repo create

import { EXIT } from './exit-status.ts';
import { isSet, optionalText, parseChoice, type OptionValues } from './option-values.ts';
import { renderFields } from './table.ts';
import { safeText } from './terminal-text.ts';
import type { Engine, Surroundings, Verb } from './verb.ts';

type CreateRequest = Omit<Parameters<Engine['createRepository']>[0], 'url' | 'password'>;

const KEY_DERIVATIONS = ['scrypt-65536-8-1', 'pbkdf2-sha256-600000'] as const;

/** The owner that Velero's own repositories have (kopia-format.md 10.8). */
const VELERO_OWNER = Object.freeze({ user: 'default', host: 'default' });

export function createRequest(options: OptionValues, surroundings: Surroundings): CreateRequest {
  const forVelero = isSet(options, 'forVelero');
  const owner = forVelero ? VELERO_OWNER : surroundings;
  return {
    hash: optionalText(options, 'hash'),
    encryption: optionalText(options, 'encryption'),
    splitter: optionalText(options, 'splitter'),
    keyDerivation: parseChoice(
      optionalText(options, 'keyDerivation'),
      '--key-derivation',
      KEY_DERIVATIONS,
    ),
    owner: {
      user: optionalText(options, 'user') ?? owner.user,
      host: optionalText(options, 'host') ?? owner.host,
    },
    forVelero,
  };
}

export function renderCreated(url: string, owner: { user: string; host: string }): string {
  const fields = renderFields([
    ['place', safeText(url)],
    ['maintained by', safeText(`${owner.user}@${owner.host}`)],
  ]);
  return (
    `Repository created\n\n${fields}\n` +
    'Keep the password: without it nobody can read what is stored.\n' +
    'next: stevedore backup PATH\n'
  );
}

export const repoCreate: Verb = Object.freeze({
  words: ['repo', 'create'],
  operands: '',
  summary: 'make an empty repository',
  description:
    'Makes an empty kopia repository at --repo, encrypted with the password that is given or ' +
    'asked for. Fails when there is one already. The defaults are those of kopia.',
  options: [
    { flags: '--hash <name>', text: 'hash that names contents (BLAKE2B-256-128)' },
    { flags: '--encryption <name>', text: 'encryption of contents (AES256-GCM-HMAC-SHA256)' },
    { flags: '--splitter <name>', text: 'where files are cut (DYNAMIC-4M-BUZHASH)' },
    { flags: '--key-derivation <name>', text: KEY_DERIVATIONS.join(' or ') },
    { flags: '--for-velero', text: 'mark it as one that Velero initialised' },
    { flags: '--user <name>', text: 'user who maintains it (you)' },
    { flags: '--host <name>', text: 'host that maintains it (this one)' },
  ],
  examples: [
    { command: 'stevedore repo create --repo file:///backup', text: 'in a directory' },
    {
      command: 'stevedore repo create --repo "s3://bucket/backup/?endpoint=https://s3.example"',
      text: 'in a bucket',
    },
  ],
  prepare: (_operands, options, surroundings) => {
    const request = createRequest(options, surroundings);
    return async session => {
      const { signal } = session;
      const { url, ...place } = await session.newRepository();
      await session.engine.createRepository({ ...request, url, ...place, signal });
      const { owner } = request;
      await session.output.report({ repository: url, owner }, () => renderCreated(url, owner));
      return EXIT.done;
    };
  },
} satisfies Verb);
