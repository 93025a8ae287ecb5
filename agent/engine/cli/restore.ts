// stevedore restore ID[:/path] TARGET

import { resolve } from 'node:path';
import { isEngineError } from '#engine/base/errors.ts';
import { EXIT } from './exit-status.ts';
import { optionalText, parseChoice, parseTreePath, type OptionValues } from './option-values.ts';
import { withTotals } from './progress.ts';
import { counted, formatBytes, formatDuration, formatRate } from './quantity.ts';
import { renderFields } from './table.ts';
import { safeText } from './terminal-text.ts';
import type { Engine, Repository, Session, Surroundings, Verb } from './verb.ts';

type RestoreRequest = Parameters<Engine['restore']>[1];
type RestoreOutcome = Awaited<ReturnType<Engine['restore']>>;

const OVERWRITE = ['never', 'always'] as const;
const DIFFERENCES_SHOWN_MAX = 50;

export function restoreRequest(
  [snapshot = '', target = '']: readonly string[],
  options: OptionValues,
  surroundings: Surroundings,
): RestoreRequest {
  return {
    snapshot: parseTreePath(snapshot, 'the snapshot'),
    target: resolve(surroundings.workingDirectory, target),
    overwrite: parseChoice(optionalText(options, 'overwrite'), '--overwrite', OVERWRITE),
  };
}

export function renderRestore(outcome: RestoreOutcome): string {
  const { bytes, durationMs } = outcome;
  const fields = renderFields([
    ['snapshot', outcome.snapshotId],
    [
      'content',
      `${counted(outcome.files, 'file')} in ` +
        `${counted(outcome.directories, 'directory', 'directories')}, ${formatBytes(bytes)}`,
    ],
    ['fetched', formatBytes(outcome.bytesFetched)],
    ['took', `${formatDuration(durationMs)} (${formatRate(bytes, durationMs)})`],
  ]);
  return `Restored to ${safeText(outcome.target)}\n\n${fields}${renderDifferences(outcome)}`;
}

function renderDifferences({ differences, differencesOmitted }: RestoreOutcome): string {
  if (differences.length === 0) return '';
  const lines = differences
    .slice(0, DIFFERENCES_SHOWN_MAX)
    .map(({ path, attribute, expected, found }) => {
      const where = `${safeText(path === '' ? '.' : path)}: ${safeText(attribute)}`;
      return `  ${where} is ${valueText(found)}, was ${valueText(expected)}\n`;
    });
  const count = differences.length + differencesOmitted;
  const more = count - lines.length;
  const rest = more > 0 ? `  and ${counted(more, 'other')}; -o json lists more\n` : '';
  return `\nNot as in the snapshot: ${counted(count, 'attribute')}\n${lines.join('')}${rest}`;
}

function valueText(value: unknown): string {
  if (value === undefined || value === null || value === '') return 'nothing';
  return safeText(typeof value === 'string' ? value : (JSON.stringify(value) ?? 'nothing'));
}

/** For the progress bar; undefined for a single file, and where the directory cannot be read. */
async function bytesBelow(
  { engine, signal }: Session,
  repository: Repository,
  path: string,
): Promise<number | undefined> {
  let bytes = 0;
  try {
    for await (const entry of engine.listTree(repository, path, {}, { signal })) {
      bytes += entry.size;
    }
  } catch (error) {
    // The restore meets the same failure and says what it means for the rest.
    if (isEngineError(error) && !signal.aborted) return undefined;
    throw error;
  }
  return bytes;
}

export const restore: Verb = Object.freeze({
  words: ['restore'],
  operands: '<id[:/path]> <target>',
  summary: 'bring a snapshot, or a part of it, back',
  description:
    'Writes a snapshot, a directory or a file of it to TARGET, and reads back what was written. ' +
    'Nothing is written outside TARGET. What could not be restored as it was is listed and makes ' +
    'the exit status 3.',
  options: [
    {
      flags: '--overwrite <when>',
      text: `whether files that are in the way are replaced: ${OVERWRITE.join(', ')} (never)`,
    },
  ],
  examples: [
    { command: 'stevedore restore latest /tmp/back', text: 'everything, to an empty directory' },
    { command: 'stevedore restore 3f9a0c12:/etc/fstab /tmp/fstab', text: 'one file' },
    {
      command: 'stevedore restore 3f9a0c12:/srv/www /srv/www --overwrite always',
      text: 'over what is there',
    },
  ],
  prepare: (operands, options, surroundings) => {
    const request = restoreRequest(operands, options, surroundings);
    return session =>
      session.withRepository({ isReadOnly: true }, async repository => {
        const { engine, signal } = session;
        const outcome = await session.withProgress(async update => {
          const { snapshot } = request;
          const bytesTotal = session.hasBar
            ? await bytesBelow(session, repository, snapshot)
            : undefined;
          const onProgress = withTotals(update, () => ({ bytesTotal }));
          return engine.restore(repository, request, { signal, onProgress });
        });
        await session.output.report(outcome, () => renderRestore(outcome));
        return outcome.differences.length === 0 ? EXIT.done : EXIT.doneWithDifferences;
      });
  },
} satisfies Verb);
