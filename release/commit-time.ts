// The one time of everything that a release makes: that of its commit.

import { execFileSync } from 'node:child_process';

/**
 * Seconds since 1970, of SOURCE_DATE_EPOCH (reproducible-builds.org/specs/source-date-epoch) or
 * of the last commit below `root`.
 */
export function commitTime(root: string, env: NodeJS.ProcessEnv = process.env): number {
  const said = env.SOURCE_DATE_EPOCH;
  if (said !== undefined && said !== '') return wholeNumber(said, 'SOURCE_DATE_EPOCH');
  const words = ['-C', root, 'log', '-1', '--format=%ct'];
  return wholeNumber(execFileSync('git', words, { encoding: 'utf8' }).trim(), 'git log');
}

function wholeNumber(text: string, source: string): number {
  if (!/^\d{1,12}$/.test(text)) throw new Error(`${source} gave ${text}, not seconds since 1970`);
  return Number(text);
}
