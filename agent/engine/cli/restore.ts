// stevedore restore ID[:/path] TARGET [ID[:/path] TARGET…]

import { resolve } from 'node:path';
import { DifferenceReport, type ReportEnd } from './difference-report.ts';
import { EXIT, type ExitStatus } from './exit-status.ts';
import {
  isSet,
  optionalText,
  parseChoice,
  parseTreePath,
  textList,
  usageError,
  type OptionValues,
} from './option-values.ts';
import { counted, formatBytes, formatDuration, formatRate } from './quantity.ts';
import { deviceRequest } from './restore-device.ts';
import { renderFields } from './table.ts';
import { safeText } from './terminal-text.ts';
import type { Engine, Repository, Session, Surroundings, Verb } from './verb.ts';

type RestoreRequest = Parameters<Engine['restore']>[1];
type RestoreOutcome = Awaited<ReturnType<Engine['restore']>>;
type RestorePlan = Awaited<ReturnType<Engine['planRestore']>>;

const OVERWRITE = ['never', 'if-different', 'always'] as const;
const PERMISSIONS = ['keep', 'strip', 'refuse'] as const;
const DIFFERENCES_SHOWN_MAX = 50;
const PACKS_SHOWN_MAX = 20;
const REMOVED_SHOWN_MAX = 20;

/** @throws USAGE */
export function restoreRequest(
  operands: readonly string[],
  options: OptionValues,
  surroundings: Surroundings,
): RestoreRequest {
  const goals = goalsOf(operands, surroundings);
  const overwrite = parseChoice(optionalText(options, 'overwrite'), '--overwrite', OVERWRITE);
  const delta = isSet(options, 'delta');
  const deleteExtra = isSet(options, 'deleteExtra');
  const include = textList(options, 'include');
  const exclude = textList(options, 'exclude');
  if (deleteExtra && !isSet(options, 'yesDelete') && !isSet(options, 'dryRun')) {
    throw usageError(
      '--delete-extra removes what the snapshot does not have; look with --dry-run first, ' +
        'then say --yes-delete as well',
    );
  }
  if (deleteExtra && overwrite === undefined && !delta) {
    throw usageError(
      '--delete-extra goes with --overwrite or --delta: an empty target has no more',
    );
  }
  if (deleteExtra && include.length + exclude.length > 0) {
    throw usageError('--delete-extra takes whole trees; leave --include and --exclude out');
  }
  const [{ snapshot, target }, ...further] = goals;
  return {
    snapshot,
    target,
    further,
    overwrite,
    delta,
    deleteExtra,
    verify: isSet(options, 'verify'),
    sparse: isSet(options, 'sparse'),
    include,
    exclude,
    policy: policyOf(options),
  };
}

function goalsOf(
  operands: readonly string[],
  { workingDirectory }: Surroundings,
): { snapshot: string; target: string }[] {
  if (operands.length % 2 !== 0) {
    const last = operands[operands.length - 1];
    throw usageError(`'${last}' has no target; give pairs of a snapshot and a target`);
  }
  return operands.flatMap((operand, index) => {
    if (index % 2 === 1) return [];
    const asked = operands[index + 1];
    const path = resolve(workingDirectory, asked);
    // With a slash at its end it is a directory, also where there is none yet.
    const target = asked.endsWith('/') && path !== '/' ? `${path}/` : path;
    return [{ snapshot: parseTreePath(operand, 'the snapshot'), target }];
  });
}

/** @throws USAGE where it would be in the way of what is restored, or removed as extra */
function reportPathOf(
  { target, further = [], overwrite, delta = false, deleteExtra = false }: RestoreRequest,
  options: OptionValues,
  { workingDirectory }: Surroundings,
): string | undefined {
  const asked = optionalText(options, 'report');
  if (asked === undefined) return undefined;
  const path = resolve(workingDirectory, asked);
  const mayBeAnywhere = (overwrite !== undefined || delta) && !deleteExtra;
  const targets = [target, ...further.map(goal => goal.target)];
  const around = targets.find(each => `${path}/`.startsWith(each.replace(/\/?$/, '/')));
  if (around === undefined || mayBeAnywhere) return path;
  throw usageError(`--report ${asked} is in the target ${around}; name a file outside of it`);
}

function policyOf(options: OptionValues): RestoreRequest['policy'] {
  const permission = (name: string, flag: string) =>
    parseChoice(optionalText(options, name), flag, PERMISSIONS);
  const chosen = {
    setId: permission('setId', '--set-id'),
    devices: permission('devices', '--devices'),
    privilegedXattrs: permission('privilegedXattrs', '--privileged-xattrs'),
    selinux: isSet(options, 'selinux') || undefined,
    owners: options.owners === false ? false : undefined,
  };
  return Object.fromEntries(Object.entries(chosen).filter(([, value]) => value !== undefined));
}

export function renderRestore(outcome: RestoreOutcome, report?: ReportEnd): string {
  const { bytes, durationMs, filesKept, bytesPresent, removed } = outcome;
  const fields = renderFields([
    ['snapshot', outcome.snapshotId],
    [
      'content',
      `${counted(outcome.files, 'file')} in ` +
        `${counted(outcome.directories, 'directory', 'directories')}, ${formatBytes(bytes)}`,
    ],
    ['fetched', formatBytes(outcome.bytesFetched)],
    ...rowIf(filesKept > 0, ['kept', `${counted(filesKept, 'file')} as they were`]),
    ...rowIf(bytesPresent > 0, ['there already', formatBytes(bytesPresent)]),
    ...rowIf(removed > 0, ['removed', counted(removed, 'extra entry', 'extra entries')]),
    ['took', `${formatDuration(durationMs)} (${formatRate(bytes, durationMs)})`],
    ['outcome', outcome.status],
  ]);
  const differences = renderDifferences(outcome, report);
  return `Restored to ${targetsOf(outcome)}\n\n${fields}${differences}`;
}

function targetsOf({ target, furtherTargets }: RestorePlan | RestoreOutcome): string {
  return [target, ...furtherTargets].map(safeText).join(', ');
}

function rowIf(isShown: boolean, row: [string, string]): [string, string][] {
  return isShown ? [row] : [];
}

function renderDifferences(
  {
    differences,
    differenceCount,
    differencesByAttribute,
  }: Pick<RestoreOutcome, 'differences' | 'differenceCount'> &
    Partial<Pick<RestoreOutcome, 'differencesByAttribute'>>,
  report?: ReportEnd,
): string {
  const kept = report === undefined ? '' : reportLine(report);
  if (differenceCount === 0) return report?.failure === undefined ? '' : `\n${kept}`;
  const lines = differences
    .slice(0, DIFFERENCES_SHOWN_MAX)
    .map(({ path, attribute, expected, found }) => {
      if (attribute === 'selection') return `  --include ${safeText(expected)}: ${found}\n`;
      const where = `${safeText(path === '' ? '.' : path)}: ${safeText(attribute)}`;
      return `  ${where} is ${valueText(found)}, was ${valueText(expected)}\n`;
    });
  const more = differenceCount - lines.length;
  const rest = more > 0 ? `  and ${counted(more, 'other')}\n` : '';
  const classes = Object.entries(differencesByAttribute ?? {});
  const byClass = classes.map(([name, count]) => `${safeText(name)} ${count}`).join(', ');
  const head = `Not as in the snapshot: ${counted(differenceCount, 'attribute')}`;
  return `\n${head}${byClass === '' ? '' : ` (${byClass})`}\n${lines.join('')}${rest}${kept}`;
}

function reportLine({ path, failure }: ReportEnd): string {
  if (failure === undefined) return `  all of them: ${safeText(path)}\n`;
  const where = `the list of all of them could not be kept in ${safeText(path)}`;
  return `  ${where}: ${safeText(failure)}; --report names another file\n`;
}

function valueText(value: string): string {
  return value === '' ? 'nothing' : safeText(value);
}

export function renderPlan(plan: RestorePlan): string {
  const fields = renderFields([
    ['snapshot', plan.snapshotId],
    ['directories', String(plan.directories)],
    ['files', `${counted(plan.files, 'file')}, ${formatBytes(plan.bytes)}`],
    ['links', `${counted(plan.symlinks, 'symlink')}, ${counted(plan.hardLinks, 'hard link')}`],
    ['special', String(plan.special)],
    ...rowIf(plan.filesKept > 0, ['kept', `${counted(plan.filesKept, 'file')} as they are`]),
    ...rowIf(plan.bytesPresent > 0, ['there already', formatBytes(plan.bytesPresent)]),
    ['to fetch', `${formatBytes(plan.bytesToFetch)} of ${counted(plan.packs.length, 'pack')}`],
  ]);
  const packs = plan.packs
    .slice(0, PACKS_SHOWN_MAX)
    .map(
      pack => `  ${pack.packId}  ${counted(pack.ranges, 'range')}  ${formatBytes(pack.bytes)}\n`,
    );
  const morePacks = plan.packs.length - packs.length;
  const removed = plan.toRemove
    .slice(0, REMOVED_SHOWN_MAX)
    .map(path => `  would remove ${safeText(path)}\n`);
  const moreRemoved = plan.toRemoveCount - removed.length;
  return (
    `Would restore to ${targetsOf(plan)} (nothing was written)\n\n${fields}\n` +
    `Packs, in the order in which they are read:\n${packs.join('')}` +
    (morePacks > 0 ? `  and ${counted(morePacks, 'other')}; -o json lists all\n` : '') +
    (removed.length > 0 ? `\nOnly in the target:\n${removed.join('')}` : '') +
    (moreRemoved > 0 ? `  and ${counted(moreRemoved, 'other')}\n` : '') +
    renderDifferences(plan)
  );
}

async function runRestore(
  session: Session,
  repository: Repository,
  request: RestoreRequest,
  reportPath: string | undefined,
): Promise<ExitStatus> {
  const { engine, signal } = session;
  const report = new DifferenceReport(reportPath, session.nowMs);
  await report.open(signal);
  let end: ReportEnd | undefined;
  const outcome = await session.withProgress(async onProgress => {
    try {
      const options = { signal, onProgress, onDifference: report.add };
      return await engine.restore(repository, request, options);
    } finally {
      end = await report.finish(signal);
    }
  });
  const result = { ...outcome, ...reportFields(end) };
  await session.output.report(result, () => renderRestore(outcome, end));
  const isAsWanted = outcome.differenceCount === 0 && end?.failure === undefined;
  return isAsWanted ? EXIT.done : EXIT.doneWithDifferences;
}

function reportFields(end: ReportEnd | undefined) {
  if (end?.failure === undefined) return { report: end?.path };
  return { reportFailed: { path: end.path, message: end.failure } };
}

async function runDevice(
  session: Session,
  repository: Repository,
  request: Parameters<Engine['restoreDevice']>[1],
): Promise<ExitStatus> {
  const { engine, signal } = session;
  const outcome = await session.withProgress(onProgress =>
    engine.restoreDevice(repository, request, { signal, onProgress }),
  );
  await session.output.report(outcome, () => renderRestore(outcome));
  return EXIT.done;
}

async function runPlan(
  session: Session,
  repository: Repository,
  request: RestoreRequest,
): Promise<ExitStatus> {
  const { engine, signal } = session;
  const plan = await session.withProgress(onProgress =>
    engine.planRestore(repository, request, { signal, onProgress }),
  );
  await session.output.report(plan, () => renderPlan(plan));
  return plan.differenceCount === 0 ? EXIT.done : EXIT.doneWithDifferences;
}

export const restore: Verb = Object.freeze({
  words: ['restore'],
  operands: '<id[:/path]> <target> [more...]',
  summary: 'bring a snapshot, or parts of one, back',
  description:
    'Writes a snapshot, a directory or a file of it to TARGET, and reads back what was written. ' +
    'A single file becomes TARGET, or goes into one that is a directory or ends with a slash. ' +
    'Nothing is written outside TARGET. What could not be restored as it was is listed and makes ' +
    'the exit status 3. Several pairs of a snapshot and a target are restored together; what ' +
    'they have in common is fetched once. Without --overwrite or --delta the target has to be ' +
    'empty. A TARGET that is a block device gets the image of one, or the bytes of a file.',
  options: [
    {
      flags: '--overwrite <when>',
      text: `what becomes of files that are there: ${OVERWRITE.join(', ')}`,
    },
    { flags: '--delta', text: 'write files that are there only where they differ' },
    { flags: '--delete-extra', text: 'remove what the snapshot does not have; needs --yes-delete' },
    { flags: '--yes-delete', text: 'yes, --delete-extra is meant' },
    { flags: '--dry-run', text: 'print the plan and write nothing' },
    { flags: '--verify', text: 'read everything again and compare it with its hashes' },
    { flags: '--include <glob>', text: 'restore only what matches', isRepeatable: true },
    { flags: '--exclude <glob>', text: 'leave out what matches', isRepeatable: true },
    { flags: '--report <file>', text: 'write all differences there, as JSON lines' },
    { flags: '--sparse', text: 'leave zeros as holes where no holes are known' },
    { flags: '--set-id <policy>', text: `setuid and setgid: ${PERMISSIONS.join(', ')} (keep)` },
    { flags: '--devices <policy>', text: `device nodes: ${PERMISSIONS.join(', ')} (keep)` },
    {
      flags: '--privileged-xattrs <policy>',
      text: `security.* and trusted.*: ${PERMISSIONS.join(', ')} (keep)`,
    },
    { flags: '--selinux', text: 'restore SELinux labels, too' },
    { flags: '--no-owners', text: 'leave owners and groups to whoever restores' },
  ],
  examples: [
    { command: 'stevedore restore latest /tmp/back', text: 'everything, to an empty directory' },
    { command: 'stevedore restore 3f9a0c12:/etc/fstab /tmp/fstab', text: 'one file' },
    {
      command: "stevedore restore latest /tmp/back --include '*.conf'",
      text: 'some files, wherever they are',
    },
    {
      command: 'stevedore restore latest /srv/www --overwrite if-different',
      text: 'go on with a restore that was interrupted',
    },
    {
      command: 'stevedore restore 3f9a0c12 /dev/sdb',
      text: 'the image of a device, to a blank one',
    },
    {
      command: 'stevedore restore latest /srv/db --delta --delete-extra --dry-run',
      text: 'what it would take to bring a volume back to what it was',
    },
  ],
  prepare: (operands, options, surroundings) => {
    const request = restoreRequest(operands, options, surroundings);
    const report = reportPathOf(request, options, surroundings);
    const isDryRun = isSet(options, 'dryRun');
    return async session => {
      const device = await deviceRequest(request, { isDryRun });
      const access = { isReadOnly: true, startsThread: true };
      return await session.withRepository(access, async repository => {
        if (device) return await runDevice(session, repository, device);
        if (isDryRun) return await runPlan(session, repository, request);
        return await runRestore(session, repository, request, report);
      });
    };
  },
} satisfies Verb);
