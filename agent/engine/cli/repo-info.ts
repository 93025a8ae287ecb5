// stevedore repo info

import { EXIT } from './exit-status.ts';
import { counted, formatBytes } from './quantity.ts';
import { renderFields } from './table.ts';
import { safeText } from './terminal-text.ts';
import type { Repository, Verb } from './verb.ts';

export type RepositoryInfo = Awaited<ReturnType<Repository['info']>>;

export function renderInfo(info: RepositoryInfo): string {
  const fields = renderFields([
    ['place', safeText(info.location)],
    ['unique id', safeText(info.uniqueId)],
    ['format', `${info.formatVersion}, index ${info.indexVersion}, ${epochs(info)}`],
    ['hash', safeText(info.hash)],
    ['encryption', safeText(info.encryption)],
    ['splitter', safeText(info.splitter)],
    ['key derivation', safeText(info.keyDerivation)],
    ['error correction', safeText(info.errorCorrection)],
    ['pack size', formatBytes(info.packBytesMax)],
    ['maintained by', safeText(info.maintenanceOwner) || 'nobody'],
    [
      'index',
      `${counted(info.contents, 'content')} in ${counted(info.indexBlobs, 'blob')}, ` +
        `${formatBytes(info.indexBytes)} of memory`,
    ],
    ['writing', safeText(info.readOnlyReason) || 'yes'],
    [
      'memory',
      `${formatBytes(info.memory.budgetBytes)}: ${counted(info.memory.threads, 'thread')}, index ` +
        `written every ${counted(info.memory.sessionContentsMax, 'content')}`,
    ],
    ['native code', info.isNative ? 'yes' : 'no: slower, with the same results'],
  ]);
  const warnings = info.warnings.map(warning => `\nwarning: ${safeText(warning)}`).join('');
  return `Repository\n\n${fields}${warnings === '' ? '' : `${warnings}\n`}`;
}

function epochs({ hasEpochs }: RepositoryInfo): string {
  return hasEpochs ? 'epochs' : 'without epochs';
}

export const repoInfo: Verb = Object.freeze({
  words: ['repo', 'info'],
  operands: '',
  summary: 'show the format and the size of the repository',
  description: 'Shows the algorithms and the format of a repository, and how much is in it.',
  options: [],
  examples: [{ command: 'stevedore repo info --repo file:///backup', text: 'what is this?' }],
  prepare: () => session =>
    session.withRepository({ isReadOnly: true }, async repository => {
      const info = await repository.info();
      await session.output.report(info, () => renderInfo(info));
      return EXIT.done;
    }),
} satisfies Verb);
