// What each of the value files renders, line by line, so that a change of a template is seen where
// it takes effect. After a change that is wanted: TAP_SNAPSHOT=1 npm run test:chart

import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { helm, helmIsMissing } from '#test/charts/helm.ts';
import { chartWithFiles, renderText, VALUE_FILES, valuesOf } from '#test/charts/value-files.ts';
import { REPOSITORY_ROOT } from '#test/tidy/source-files.ts';

const skip = helmIsMissing();
const FOLDER = join(REPOSITORY_ROOT, 'test/charts/snapshots');
/** As tap's own snapshots are written. */
const isWritten = process.env.TAP_SNAPSHOT === '1';

/** Keys and certificates are made anew each time. */
function masked(text: string): string {
  return text.replace(/^( +(?:ca|tls)\.(?:crt|key): )[\w+/=]{100,}$/gm, '$1(made)');
}

t.test('there is a file for each of a dozen ways to install it', async t => {
  t.ok(VALUE_FILES.length >= 12, VALUE_FILES.join());
  if (isWritten) return;
  const known = readdirSync(FOLDER).map(name => name.replace(/\.yaml$/, ''));
  t.strictSame(known.sort(), VALUE_FILES, 'and a snapshot of each, and no other');
});

for (const name of VALUE_FILES) {
  t.test(`${name} renders what it did, and helm has nothing to say`, { skip }, async t => {
    const chart = chartWithFiles(t.testdir());
    const words = `--values=${valuesOf(name)}`;
    const text = masked(renderText(chart, words));
    const file = join(FOLDER, `${name}.yaml`);
    if (isWritten) writeFileSync(file, text);
    t.equal(text, existsSync(file) ? readFileSync(file, 'utf8') : undefined);
    t.match(helm('lint', '--strict', chart, words), '1 chart(s) linted, 0 chart(s) failed');
  });
}
