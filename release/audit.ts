// `npm run audit`: what the registry knows against the packages that ship. Where it does not answer
// that question the check is skipped, and says why.

import { spawnSync } from 'node:child_process';

const PROGRAM_MS_MAX = 120_000;

interface AuditReport {
  readonly metadata?: { readonly vulnerabilities: Readonly<Record<string, number>> };
  readonly message?: string;
  readonly error?: { readonly summary?: string };
}

const words = ['audit', '--omit=dev', '--json'];
const { stdout } = spawnSync('npm', words, { encoding: 'utf8', timeout: PROGRAM_MS_MAX });
let report: AuditReport = {};
try {
  report = JSON.parse(stdout) as AuditReport;
} catch {
  // Not npm's answer; told below.
}
if (report.metadata === undefined) {
  const said = report.message ?? report.error?.summary ?? 'npm audit gave no report';
  console.log(`audit: skipped, the registry cannot be asked: ${said}`);
} else {
  const { total = 0, ...levels } = report.metadata.vulnerabilities;
  const found = Object.entries(levels).filter(([, count]) => count > 0);
  console.log(`audit: ${total} known weaknesses in what ships`);
  for (const [level, count] of found) console.log(`  ${level}: ${count}`);
  if (total > 0) process.exitCode = 1;
}
