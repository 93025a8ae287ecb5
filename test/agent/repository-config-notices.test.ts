import t from 'tap';
import { noticesOf } from '#agent/repository-config-notices.ts';

t.test('of the backup-repository ConfigMap the cache limit is said to have no effect', async t => {
  t.strictSame(noticesOf(undefined), []);
  t.strictSame(noticesOf({ kopia: '{"fullMaintenanceInterval":"fastGC"}' }), []);
  t.match(noticesOf({ kopia: '{"cacheLimitMB":2048}' }), [/^kopia\.cacheLimitMB has no effect/]);
  t.match(noticesOf({ kopia: '{' }), [/^kopia is no JSON/]);
});
