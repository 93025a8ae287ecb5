import t from 'tap';
import { countTap, formatCounts } from './tap-counts.ts';

const SUITE = `TAP version 14
1..3
# Subtest: test/a.test.ts
    # Subtest: one
        ok 1 - should be equal
        not ok 2 - should be equal
          ---
          source: |
            ok 3 - this is only quoted
          ...
        
        1..2
    not ok 1 - one # time=5ms
      ---
      at:
        lineNumber: 1
      ...
    
    ok 2 - two # SKIP no kopia
    # Subtest: three
        # Subtest: inner
            ok 1 - fine
            not ok 2 - known # TODO later
            1..2
        ok 1 - inner # time=4ms
        1..1
    ok 3 - three # time=9ms
    1..3
not ok 1 - test/a.test.ts # time=20ms

# Subtest: test/b.test.ts
    ok 1 - an assertion
    1..1
ok 2 - test/b.test.ts # time=2ms

# Subtest: test/c.test.ts
    # Subtest: fine
        ok 1 - fine
        1..1
    ok 1 - fine # time=1ms
    1..1
not ok 3 - test/c.test.ts # time=9ms
  ---
  exitCode: 1
  ...

# { total: 7, pass: 4 }
`;

t.test('tests are counted, and neither assertions nor groups', async t => {
  // Passed: inner, b, fine. Failed: one, and c, whose tests passed and whose process did not.
  t.strictSame(countTap(SUITE), { passed: 3, failed: 2, skipped: 1 });
});

t.test('steps at the top count by themselves', async t => {
  const steps = 'TAP version 14\nok 1 - a\nnot ok 2 - b\nok 3 - c # SKIP no go\n1..3\n';
  t.strictSame(countTap(steps), { passed: 1, failed: 1, skipped: 1 });
});

t.test('a file that is skipped as a whole is one that was skipped', async t => {
  const text = '1..1\n# Subtest: x\n    1..0 # SKIP no kopia\nok 1 - x # SKIP no kopia\n';
  t.strictSame(countTap(text), { passed: 0, failed: 0, skipped: 1 });
});

t.test('a suite that died has failed', async t => {
  t.strictSame(countTap(''), { passed: 0, failed: 1, skipped: 0 });
  t.strictSame(countTap('TAP version 14\nok 1 - a\n'), { passed: 1, failed: 1, skipped: 0 });
});

t.test('the closing line is plain', async t => {
  t.equal(
    formatCounts({ passed: 1234, failed: 0, skipped: 5 }),
    '1234 passed, 0 failed, 5 skipped',
  );
});
