// `npm run ci:sum -- FILE…`: one line for each TAP file and one for all of them, which is the last.
// NAME.again.tap, beside NAME.tap, is of what failed there and passed when it ran once more.

import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { countTap, formatCounts } from './tidy/tap-counts.ts';

const AGAIN = '.again.tap';
const paths = process.argv.slice(2);
const total = { passed: 0, failed: 0, skipped: 0 };
for (const path of paths) {
  const counts = countTap(readFileSync(path, 'utf8'));
  if (paths.includes(path.replace(/\.tap$/, AGAIN))) {
    console.log(`${basename(path, '.tap')}: ${counts.failed} failed at first`);
    counts.failed = 0;
  }
  total.passed += counts.passed;
  total.failed += counts.failed;
  total.skipped += counts.skipped;
  console.log(`${basename(path, '.tap').padEnd(16)} ${formatCounts(counts)}`);
}
console.log(formatCounts(total));
process.exitCode = total.failed === 0 && total.passed > 0 ? 0 : 1;
