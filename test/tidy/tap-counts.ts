// Adds up TAP, as .ci/run needs it. A test is a subtest that has no subtest of its own; a point at
// the top that has none below it counts as well. Assertions are not counted, skipped ones are.

export interface TapCounts {
  passed: number;
  failed: number;
  skipped: number;
}

interface Level {
  /** Subtests that have ended at this depth since the last point of the depth above. */
  tests: number;
  failures: number;
  points: number;
}

const POINT = /^( *)(not )?ok\b[^#]*(?:# (SKIP|TODO)\b)?/i;
const PLAN = /^1\.\.\d+/;

export function countTap(text: string): TapCounts {
  const counts: TapCounts = { passed: 0, failed: 0, skipped: 0 };
  const levels: Level[] = [];
  let diagnosticsIndent: string | undefined;
  let hasPlan = false;
  for (const line of text.split('\n')) {
    if (diagnosticsIndent !== undefined) {
      if (line === `${diagnosticsIndent}...`) diagnosticsIndent = undefined;
      continue;
    }
    const opening = /^( +)---$/.exec(line);
    if (opening) diagnosticsIndent = opening[1];
    if (PLAN.test(line)) hasPlan = true;
    const point = POINT.exec(line);
    if (point) addPoint(counts, levels, point);
  }
  // A suite that ends before its plan has died, whatever it printed until then.
  if (!hasPlan) counts.failed++;
  return counts;
}

/** `1,234 passed, 0 failed, 5 skipped` without separators, for machines and people. */
export function formatCounts({ passed, failed, skipped }: TapCounts): string {
  return `${passed} passed, ${failed} failed, ${skipped} skipped`;
}

function addPoint(counts: TapCounts, levels: Level[], [, indent = '', not, directive]: string[]) {
  const depth = indent.length / 4;
  const below = levels[depth + 1];
  levels.length = depth + 1;
  for (let index = 0; index <= depth; index++) {
    levels[index] ??= { tests: 0, failures: 0, points: 0 };
  }
  const level = levels[depth];
  if (level === undefined) return;
  level.points++;
  const hasFailed = not !== undefined && directive?.toUpperCase() !== 'TODO';
  if (directive?.toUpperCase() === 'SKIP') {
    counts.skipped++;
    level.tests++;
    return;
  }
  const isAssertion = below === undefined && depth > 0;
  if (isAssertion) return;
  level.tests++;
  const isGroup = below !== undefined && below.tests > 0;
  if (hasFailed) level.failures++;
  // A group whose tests have all passed and which has not: a plan that does not fit, a timeout, an
  // exit status.
  if (isGroup && !(hasFailed && below.failures === 0)) return;
  if (hasFailed) counts.failed++;
  else counts.passed++;
}
