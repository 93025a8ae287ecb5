// stevedore explain PATH

import { resolve } from 'node:path';
import { EXIT } from './exit-status.ts';
import { optionalText, usageError, type OptionValues } from './option-values.ts';
import { formatBytes } from './quantity.ts';
import { SELECTION_OPTIONS, selectionRequest } from './selection-options.ts';
import { renderFields } from './table.ts';
import { safeText } from './terminal-text.ts';
import type { Engine, Repository, Surroundings, Verb } from './verb.ts';

type ExplainRequest = Parameters<Engine['explain']>[1];
type Explanation = Awaited<ReturnType<Engine['explain']>>;
type Decision = Explanation['decision'];
type Origin = NonNullable<Extract<Decision, { origin?: unknown }>['origin']>;

/** Everything but where the source lies when it was not named. */
export type ExplainOptions = Omit<ExplainRequest, 'path'> & {
  readonly path: string | undefined;
  readonly source: { readonly user: string; readonly host: string; readonly path?: string };
};

export function explainOptions(
  operand: string,
  options: OptionValues,
  surroundings: Surroundings,
): ExplainOptions {
  const { workingDirectory } = surroundings;
  const about = resolve(workingDirectory, operand);
  const root = optionalText(options, 'source');
  return {
    about: operand.endsWith('/') && about !== '/' ? `${about}/` : about,
    path: root === undefined ? undefined : resolve(workingDirectory, root),
    source: {
      user: optionalText(options, 'user') ?? surroundings.user,
      host: optionalText(options, 'host') ?? surroundings.host,
      path: optionalText(options, 'sourcePath'),
    },
    ...selectionRequest(options, surroundings),
  };
}

/** The deepest of `paths` that is `path` or above it. */
export function deepestAbove(paths: Iterable<string>, path: string): string | undefined {
  const above = [...paths].filter(candidate => {
    return path === candidate || path.startsWith(candidate === '/' ? '/' : `${candidate}/`);
  });
  return above.sort((a, b) => b.length - a.length)[0];
}

async function complete(
  engine: Engine,
  repository: Repository,
  { path, source, ...rest }: ExplainOptions,
): Promise<ExplainRequest> {
  const { user, host } = source;
  if (path !== undefined)
    return { ...rest, path, source: { ...source, path: source.path ?? path } };
  const filter = { source: { user, host }, includeIncomplete: true };
  const snapshots = await engine.listSnapshots(repository, filter);
  const about = rest.about.replace(/(?<=.)\/$/, '');
  const found = deepestAbove(new Set(snapshots.map(snapshot => snapshot.source.path)), about);
  if (found === undefined) {
    throw usageError(`no source of ${user}@${host} holds ${about}; name one with --source DIR`);
  }
  return { ...rest, path: found, source: { user, host, path: source.path ?? found } };
}

export function renderExplanation(explanation: Explanation): string {
  const { path, source, isIncluded, exists, decidedAt, decision } = explanation;
  const shown = safeText(path);
  const head = isIncluded
    ? `${shown} would be in the snapshot of ${safeText(source)}.`
    : `${shown} would not be in the snapshot of ${safeText(source)}.`;
  const fields: [string, string][] = [['because', reasonText(decision)]];
  if (decidedAt !== path) fields.push(['decided at', `${safeText(decidedAt)}, above it`]);
  const rule = 'rule' in decision ? decision.rule : undefined;
  const origin = rule?.origin ?? ('origin' in decision ? decision.origin : undefined);
  if (rule) fields.push(['pattern', safeText(rule.pattern)]);
  if (origin) fields.push(['of', originText(origin, rule?.line, source)]);
  if (!exists) fields.push(['note', 'it is not there; its name alone was looked at']);
  return `${head}\n\n${renderFields(fields)}`;
}

function reasonText(decision: Decision): string {
  switch (decision.reason) {
    case 'nothing':
      return decision.rule ? 'a pattern takes it back' : 'nothing excludes it';
    case 'ignored':
      return 'a pattern excludes it';
    case 'cache directory':
      return 'a CACHEDIR.TAG marks its directory as a cache, which is stored empty';
    case 'too large':
      return `it has more than ${formatBytes(decision.bytesMax)}`;
    case 'other file system':
      return 'it lies on another file system than its directory';
    case 'behind a link':
      return 'a symbolic link leads to it, and links are stored as links';
    case 'unreadable':
      return `${safeText(decision.message)} (${decision.code})`;
  }
}

function originText(origin: Origin, line: number | undefined, source: string): string {
  const at = line === undefined ? '' : `, line ${line}`;
  switch (origin.kind) {
    case 'command line':
      return `${origin.file === undefined ? 'the command line' : safeText(origin.file)}${at}`;
    case 'policy':
      return `the policy for ${safeText(origin.target)}`;
    case 'ignore file':
      return `${safeText(resolve(source, origin.path))}${at}`;
    case 'default':
      return 'what holds by default';
  }
}

export const explain: Verb = Object.freeze({
  words: ['explain'],
  operands: '<path>',
  summary: 'say whether a path would be in a snapshot, and why',
  description:
    'Says whether PATH would be in a snapshot, and which rule decides: a pattern of the command ' +
    'line, a policy of the repository, a line of an ignore file, a CACHEDIR.TAG, its size or its ' +
    'file system, or a directory above it. Give the options that you give to backup. Nothing is ' +
    'written.',
  options: [
    {
      flags: '--source <dir>',
      text: 'the directory that is backed up (the deepest source of yours that holds PATH)',
    },
    ...SELECTION_OPTIONS,
    { flags: '--user <name>', text: 'user of the source (you)' },
    { flags: '--host <name>', text: 'host of the source (this one)' },
    { flags: '--source-path <path>', text: 'path of the source as it is recorded' },
  ],
  examples: [
    { command: 'stevedore explain /srv/www/cache/x', text: 'is it in the backups of /srv?' },
    {
      command: "stevedore explain ./a.log --source . --exclude '*.log'",
      text: 'try a pattern before it is used',
    },
  ],
  prepare: ([operand = ''], options, surroundings) => {
    const asked = explainOptions(operand, options, surroundings);
    return session =>
      session.withRepository({ isReadOnly: true }, async repository => {
        const { engine, signal } = session;
        const request = await complete(engine, repository, asked);
        const explanation = await engine.explain(repository, request, { signal });
        await session.output.report(explanation, () => renderExplanation(explanation));
        return EXIT.done;
      });
  },
} satisfies Verb);
