// Where the password comes from: --password-file, STEVEDORE_PASSWORD, or the person at a terminal.
// It is never an option of its own, since everybody on the machine can read command lines.

import { open } from 'node:fs/promises';
import { messageOf } from '#engine/base/errors.ts';
import { usageError } from './option-values.ts';

export interface PasswordSources {
  readonly file: string | undefined;
  /** The value of STEVEDORE_PASSWORD. */
  readonly environment: string | undefined;
  /** Undefined where there is no terminal to ask at. */
  readonly prompt: ((question: string) => Promise<string>) | undefined;
}

const FILE_BYTES_MAX = 64 * 1024;

/** @throws USAGE when there is none, or the file cannot be read */
export async function findPassword(sources: PasswordSources): Promise<string> {
  const given = await givenPassword(sources);
  if (given !== undefined) return given;
  return notEmpty(await askable(sources)('Repository password: '), 'the password');
}

/** The same for a password that does not exist yet: typed twice, since nobody can look it up. */
export async function chooseNewPassword(sources: PasswordSources): Promise<string> {
  const given = await givenPassword(sources);
  if (given !== undefined) return given;
  const ask = askable(sources);
  const first = notEmpty(await ask('New repository password: '), 'the password');
  if ((await ask('The same again: ')) !== first) {
    throw usageError('the two passwords differ; run the command again');
  }
  return first;
}

async function givenPassword(sources: PasswordSources): Promise<string | undefined> {
  if (sources.file !== undefined) return readPasswordFile(sources.file);
  if (sources.environment !== undefined && sources.environment !== '') return sources.environment;
  return undefined;
}

/** The file's text without one newline at its end. */
async function readPasswordFile(path: string): Promise<string> {
  const buffer = Buffer.alloc(FILE_BYTES_MAX + 1);
  let length = 0;
  try {
    await using file = await open(path);
    // A pipe (`--password-file <(pass show x)`) gives its bytes in pieces.
    for (let count = -1; count !== 0 && length < buffer.length; length += count) {
      ({ bytesRead: count } = await file.read(buffer, length, buffer.length - length));
    }
  } catch (error) {
    throw usageError(`password file ${path} cannot be read: ${messageOf(error)}`);
  }
  if (length > FILE_BYTES_MAX) {
    throw usageError(`password file ${path} has more than ${FILE_BYTES_MAX} bytes; is it the one?`);
  }
  const text = buffer.toString('utf8', 0, length).replace(/\r?\n$/, '');
  return notEmpty(text, `password file ${path}`);
}

function askable({ prompt }: PasswordSources): (question: string) => Promise<string> {
  if (prompt !== undefined) return prompt;
  throw usageError(
    'no password was given and there is no terminal to ask at; ' +
      'use --password-file FILE or set STEVEDORE_PASSWORD',
  );
}

function notEmpty(password: string, what: string): string {
  if (password !== '') return password;
  throw usageError(`${what} is empty; a repository needs a password`);
}
