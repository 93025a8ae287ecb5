// Every field of a policy with the way in which it is inherited: one row a field (kopia
// snapshot/policy/*_policy.go, the Merge functions).

/**
 * How a field combines with the same field of more general policies:
 * optional, choice: the most specific one that is there (a number, a boolean);
 * amount, text, texts: the most specific one that is not 0 or empty;
 * flag: true when any of them is;
 * union, times: all of them together, up to a policy whose flag `stop` is set;
 * command: the most specific one; ownCommand: that of the policy for the very source or none;
 * barrier: ends inheritance as a whole and is not part of the outcome.
 */
export type PolicyFieldKind =
  | 'optional'
  | 'choice'
  | 'amount'
  | 'text'
  | 'texts'
  | 'flag'
  | 'union'
  | 'times'
  | 'command'
  | 'ownCommand'
  | 'barrier';

export interface PolicyField {
  /** Names of the objects around the field. */
  readonly section: readonly string[];
  readonly name: string;
  readonly kind: PolicyFieldKind;
  /** Name of the flag in the same section that ends a union. */
  readonly stop?: string;
}

function rows(
  section: string,
  fields: Readonly<Record<string, PolicyFieldKind | readonly [PolicyFieldKind, string]>>,
): PolicyField[] {
  return Object.entries(fields).map(([name, rule]) => {
    const path = section.split('.');
    if (typeof rule === 'string') return { section: path, name, kind: rule };
    return { section: path, name, kind: rule[0], stop: rule[1] };
  });
}

// A flag stands behind the union that it stops: the policy that sets it still contributes.
export const POLICY_FIELDS: readonly PolicyField[] = Object.freeze([
  ...rows('retention', {
    keepLatest: 'optional',
    keepHourly: 'optional',
    keepDaily: 'optional',
    keepWeekly: 'optional',
    keepMonthly: 'optional',
    keepAnnual: 'optional',
    ignoreIdenticalSnapshots: 'choice',
  }),
  ...rows('files', {
    ignore: 'texts',
    noParentIgnore: 'flag',
    ignoreDotFiles: 'texts',
    noParentDotFiles: 'flag',
    ignoreCacheDirs: 'choice',
    maxFileSize: 'amount',
    oneFileSystem: 'choice',
  }),
  ...rows('errorHandling', {
    ignoreFileErrors: 'choice',
    ignoreDirectoryErrors: 'choice',
    ignoreUnknownTypes: 'choice',
  }),
  ...rows('scheduling', {
    intervalSeconds: 'amount',
    timeOfDay: ['times', 'noParentTimeOfDay'],
    noParentTimeOfDay: 'flag',
    manual: 'flag',
    cron: 'texts',
    runMissed: 'choice',
  }),
  ...rows('compression', {
    compressorName: 'text',
    onlyCompress: ['union', 'noParentOnlyCompress'],
    noParentOnlyCompress: 'flag',
    neverCompress: ['union', 'noParentNeverCompress'],
    noParentNeverCompress: 'flag',
    minSize: 'amount',
    maxSize: 'amount',
  }),
  ...rows('metadataCompression', { compressorName: 'text' }),
  ...rows('splitter', { algorithm: 'text' }),
  ...rows('actions', {
    beforeFolder: 'ownCommand',
    afterFolder: 'ownCommand',
    beforeSnapshotRoot: 'command',
    afterSnapshotRoot: 'command',
  }),
  ...rows('osSnapshots.volumeShadowCopy', { enable: 'optional' }),
  ...rows('logging.directories', { snapshotted: 'optional', ignored: 'optional' }),
  ...rows('logging.entries', {
    snapshotted: 'optional',
    ignored: 'optional',
    cacheHit: 'optional',
    cacheMiss: 'optional',
  }),
  ...rows('upload', {
    maxParallelSnapshots: 'optional',
    maxParallelFileReads: 'optional',
    parallelUploadAboveSize: 'optional',
  }),
  { section: [], name: 'noParent', kind: 'barrier' },
]);
