// stevedore backup PATH

import { resolve } from 'node:path';
import { renderSurvey } from './dry-run.ts';
import { EXIT, type ExitStatus } from './exit-status.ts';
import {
  isSet,
  optionalText,
  parseChoice,
  parseCompression,
  parseTags,
  textList,
  usageError,
  type OptionValues,
} from './option-values.ts';
import { SELECTION_OPTIONS, selectionRequest } from './selection-options.ts';
import { estimateTree, type Estimate } from './estimate.ts';
import { withTotals, type ProgressState } from './progress.ts';
import { counted, formatBytes, formatDuration, formatRate, formatShare } from './quantity.ts';
import { renderFields } from './table.ts';
import { renderEntries } from './problems.ts';
import type { Engine, Repository, Session, Surroundings, Verb } from './verb.ts';

type BackupRequest = Parameters<Engine['backup']>[1];
type BackupOutcome = Awaited<ReturnType<Engine['backup']>>;

const CHUNKERS = ['auto', 'repository', 'fastcdc'] as const;
const ON_ERROR = ['warn', 'fail'] as const;
export function backupRequest(
  operand: string,
  options: OptionValues,
  surroundings: Surroundings,
): BackupRequest {
  const path = resolve(surroundings.workingDirectory, operand);
  const tags = parseTags(textList(options, 'tag'));
  const pins = textList(options, 'pin');
  if (pins.includes('')) throw usageError('--pin is empty; give a name');
  return {
    path,
    source: {
      user: optionalText(options, 'user') ?? surroundings.user,
      host: optionalText(options, 'host') ?? surroundings.host,
      path: optionalText(options, 'sourcePath') ?? path,
    },
    description: optionalText(options, 'description'),
    tags: Object.keys(tags).length === 0 ? undefined : tags,
    pins: pins.length === 0 ? undefined : pins,
    chunker: parseChoice(optionalText(options, 'chunker'), '--chunker', CHUNKERS),
    compression: parseCompression(optionalText(options, 'compression')),
    onError: parseChoice(optionalText(options, 'onError'), '--on-error', ON_ERROR),
    parent: optionalText(options, 'parent'),
    forceHash: isSet(options, 'forceHash'),
    ignoreCtime: isSet(options, 'ignoreCtime'),
    ignoreInode: isSet(options, 'ignoreInode'),
    ...selectionRequest(options, surroundings),
  };
}

export function renderBackup(outcome: BackupOutcome): string {
  const { bytes, durationMs, contentsNew, contentsReused, skipped } = outcome;
  const fields: [string, string][] = [
    [
      'content',
      `${counted(outcome.files, 'file')} in ` +
        `${counted(outcome.directories, 'directory', 'directories')}, ${formatBytes(bytes)}`,
    ],
    ['uploaded', `${formatBytes(outcome.bytesUploaded)} in ${counted(contentsNew, 'new content')}`],
    ['took', `${formatDuration(durationMs)} (${formatRate(bytes, durationMs)})`],
  ];
  // Files that did not change are not looked up, so a small number here says little, and 0 nothing.
  if (contentsReused > 0) {
    const share = formatShare(contentsReused, contentsNew + contentsReused);
    fields.splice(2, 0, [
      'found',
      `${counted(contentsReused, 'content')} there already (${share})`,
    ]);
  }
  const head = `Snapshot ${outcome.snapshotId}\n\n${renderFields(fields)}`;
  return head + renderEntries('Not in the snapshot', skipped, outcome.skippedCount);
}

/**
 * Totals for the bar as far as they are known: files of the newest snapshot of the source at once,
 * or, for a source that is new, an estimate when it is there. `signal` ends the estimating.
 */
async function progressTotals(
  session: Session,
  repository: Repository,
  { path, source }: BackupRequest,
  signal: AbortSignal,
): Promise<() => Pick<ProgressState, 'bytesTotal' | 'filesTotal'>> {
  if (!session.hasBar) return () => ({});
  const newest = (await session.engine.listSnapshots(repository, { source })).at(-1);
  if (newest !== undefined) return () => ({ filesTotal: newest.files });
  let estimate: Estimate | undefined;
  void estimateTree(path, signal).then(found => (estimate = found));
  return () => ({ bytesTotal: estimate?.bytes });
}

/** What to look at before the repository is open; nothing where it is certain to be of no use. */
function lookAheadOf(request: BackupRequest): Uint8Array | undefined {
  const { path, parent, forceHash, ignoreCtime, ignoreInode } = request;
  const isAllRead = parent === 'none' || forceHash || ignoreCtime || ignoreInode;
  const { exclude, excludeFrom, fileBytesMax, isOneFileSystem } = request;
  const isSelecting = [exclude, excludeFrom, fileBytesMax, isOneFileSystem].some(Boolean);
  return isAllRead || isSelecting ? undefined : new Uint8Array(Buffer.from(path));
}

async function dryRun(session: Session, request: BackupRequest): Promise<ExitStatus> {
  return session.withRepository({ isReadOnly: true, startsThread: true }, async repository => {
    const { engine, signal } = session;
    const outcome = await session.withProgress(onProgress =>
      engine.surveyBackup(repository, request, { signal, onProgress }),
    );
    await session.output.report(outcome, () => renderSurvey(outcome));
    return outcome.unreadableCount === 0 ? EXIT.done : EXIT.doneWithDifferences;
  });
}

export const backup: Verb = Object.freeze({
  words: ['backup'],
  operands: '<path>',
  summary: 'store a directory, a file or a block device as a snapshot',
  description:
    'Stores PATH as a new snapshot. What an earlier snapshot of the same source holds is neither ' +
    'read nor sent again. An entry that could not be read is left out, listed, and makes the ' +
    'exit status 3; with --on-error fail it ends the backup, and there is no snapshot. Of a ' +
    'block device what is on it is stored, as Velero does; freeze or unmount it first.',
  options: [
    ...SELECTION_OPTIONS,
    {
      flags: '--dry-run',
      text: 'store nothing; count what is new, changed, left out, unreadable',
    },
    { flags: '--tag <key:value>', text: 'label on the snapshot', isRepeatable: true },
    { flags: '--description <text>', text: 'a sentence on the snapshot' },
    { flags: '--pin <name>', text: 'keep it whatever the policy says', isRepeatable: true },
    { flags: '--chunker <name>', text: `${CHUNKERS.join(', ')} (auto)` },
    { flags: '--compression <name>', text: 'auto, none, zstd:LEVEL (auto)' },
    {
      flags: '--on-error <what>',
      text: 'warn: store the rest, exit status 3; fail: store nothing (warn)',
    },
    {
      flags: '--parent <id>',
      text: 'snapshot to compare with, or none (the newest of the source)',
    },
    { flags: '--force-hash', text: 'read every file, also those that look unchanged' },
    { flags: '--ignore-ctime', text: 'where change times are made up, as on some networks' },
    { flags: '--ignore-inode', text: 'where inode numbers are, as with FUSE' },
    { flags: '--user <name>', text: 'user of the source (you)' },
    { flags: '--host <name>', text: 'host of the source (this one)' },
    { flags: '--source-path <path>', text: 'path of the source as it is recorded (PATH)' },
  ],
  examples: [
    { command: 'stevedore backup /srv/www', text: 'the newest state of a directory' },
    {
      command: 'stevedore backup . --tag release:1.4 --description "before the upgrade"',
      text: 'something to find it by',
    },
    {
      command: "stevedore backup ~ --exclude '*.iso' --exclude /Downloads/ --exclude '!keep.iso'",
      text: 'not everything; a leading / is the directory that is backed up',
    },
    {
      command: 'stevedore backup /src --ignore-file .gitignore --max-file-size 500M',
      text: 'what git would leave out, and large files',
    },
    {
      command: 'stevedore backup / --one-file-system',
      text: 'the root file system without /proc, /sys and other mounts',
    },
    { command: 'stevedore backup /dev/vg/snapshot', text: 'a device, zeros but once' },
    { command: 'stevedore backup /data --dry-run', text: 'look first: how much would be sent' },
    { command: 'stevedore backup /data -o json | jq -r .snapshotId', text: 'in a script' },
  ],
  prepare: ([operand = ''], options, surroundings) => {
    const request = backupRequest(operand, options, surroundings);
    if (isSet(options, 'dryRun')) return session => dryRun(session, request);
    const lookAhead = lookAheadOf(request);
    const access = { isReadOnly: false, startsThread: true, lookAhead };
    return session =>
      session.withRepository(access, async repository => {
        const { engine, signal } = session;
        const { lookAheadSinceMs: seenSinceMs } = repository;
        const done = new AbortController();
        const totals = await progressTotals(session, repository, request, done.signal);
        const outcome = await session.withProgress(async update => {
          try {
            const onProgress = withTotals(update, totals);
            const seen = { ...request, seenSinceMs };
            return await engine.backup(repository, seen, { signal, onProgress });
          } finally {
            done.abort();
          }
        });
        await session.output.report(outcome, () => renderBackup(outcome));
        return outcome.skipped.length === 0 ? EXIT.done : EXIT.doneWithDifferences;
      });
  },
} satisfies Verb);
