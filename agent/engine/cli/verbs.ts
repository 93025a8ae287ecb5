// The verbs in the order of help. A new one is a file and a row here.

import { backup } from './backup.ts';
import { cacheClear } from './cache-clear.ts';
import { cacheInfo } from './cache-info.ts';
import { CACHE_OPTIONS } from './cache-options.ts';
import { cat } from './cat.ts';
import { diff } from './diff.ts';
import { explain } from './explain.ts';
import { forget } from './forget.ts';
import { ls } from './ls.ts';
import { repoCheck } from './repo-check.ts';
import { repoCreate } from './repo-create.ts';
import { repoInfo } from './repo-info.ts';
import { restore } from './restore.ts';
import { snapshots } from './snapshots.ts';
import type { OptionRow, Verb } from './verb.ts';
import { verify } from './verify.ts';

export const VERBS: readonly Verb[] = Object.freeze([
  repoCreate,
  repoInfo,
  repoCheck,
  backup,
  explain,
  snapshots,
  ls,
  cat,
  diff,
  restore,
  verify,
  forget,
  cacheInfo,
  cacheClear,
]);

export const GLOBAL_OPTIONS: readonly OptionRow[] = Object.freeze([
  { flags: '--repo <url>', text: 'file:///dir or s3://bucket/prefix (STEVEDORE_REPO)' },
  { flags: '--password-file <file>', text: 'file with the password (STEVEDORE_PASSWORD)' },
  { flags: '-o, --output <format>', text: 'text, or json: exactly one document (text)' },
  { flags: '--threads <n>', text: 'worker threads (one for each processor)' },
  { flags: '--memory <size>', text: 'what it may take, such as 256MiB (as the machine allows)' },
  ...CACHE_OPTIONS,
  { flags: '--nice <n>', text: 'priority for processors, -20 to 19 (as it was started)' },
  { flags: '--ionice <class>', text: 'for disks: idle, best-effort:0 to :7, realtime:0 to :7' },
  { flags: '--no-pressure-backoff', text: 'keep all threads busy on a machine that is short' },
  { flags: '-q, --quiet', text: 'show no progress' },
]);

/** By their first words; agent/stevedore.js starts them. */
export const OTHER_PROGRAMS: readonly string[] = Object.freeze([
  'node-agent',
  'controller',
  'queue',
  'nodes',
  'annotations',
  'status',
  'preflight',
  'moves',
  'why',
  'diagnose',
  'completion',
]);

export const EPILOGUE = `\
Repository:
  --repo file:///dir
  --repo "s3://bucket/prefix/?endpoint=https://host&region=eu-1&pathStyle=true"

In Kubernetes, each with --help:
  node-agent server, controller    what runs there
  queue, nodes                     ask the controller what moves, what waits and how nodes do
  annotations                      show what rules would annotate of pods, and why
  status                           show on one screen how all of it stands
  preflight                        check whether a cluster is ready, and what to do
  moves                            show the moves that the API server knows of
  why                              say why a move waits or has failed
  diagnose                         collect what shows a fault, without secrets

For every shell:
  completion                       print what makes it complete words

Exit status:
  0 done   1 failed   2 wrong usage   3 done, with differences or skipped files (listed)
`;
