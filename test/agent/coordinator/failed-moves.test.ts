// What an agent remembers of moves that did not end as they should have.

import t from 'tap';
import { FailedMoves } from '#agent/coordinator/failed-moves.ts';
import type { MoveReport } from '#agent/moves/move-components.ts';

function remembered() {
  const time = { ms: 0 };
  const hide = (text: string) => text.replace('s3cret', '[hidden]');
  const moves = new FailedMoves({ clock: { monotonic: () => time.ms }, hide });
  return { time, moves };
}

const itemOf = (uid: string, pod?: { namespace: string; name: string; uid: string }) => ({
  metadata: { name: `daily-${uid}`, namespace: 'velero', uid },
  spec: { backupStorageLocation: 'default', ...(pod && { pod, volume: 'files' }) },
});

const phase = (uid: string, phase: 'Failed' | 'Canceled' | 'Completed', message?: string) =>
  ({ type: 'phase', item: itemOf(uid), phase, message }) as MoveReport;

t.test('a failure is remembered with its code, its pod, its age and no secret', async t => {
  const { time, moves } = remembered();
  const item = itemOf('a', { namespace: 'shop', name: 'web-0', uid: 'of-web' });
  const message = 'the key s3cret is not known (STORAGE_ACCESS_DENIED)';
  moves.note('PodVolumeBackup', { type: 'phase', item, phase: 'Failed', message });
  time.ms = 5_000;
  t.strictSame(moves.list(), [
    {
      ...{ id: 'a', move: 'PodVolumeBackup/daily-a', phase: 'Failed' },
      ...{ namespace: 'shop', pod: 'web-0', volumeName: 'files' },
      message: 'the key [hidden] is not known (STORAGE_ACCESS_DENIED)',
      ...{ code: 'STORAGE_ACCESS_DENIED', endedAgoMs: 5_000 },
    },
  ]);
});

t.test('what ends as it should is not, but what is not whole is', async t => {
  const { moves } = remembered();
  moves.note('PodVolumeBackup', phase('a', 'Completed'));
  t.strictSame(moves.list(), []);
  const message = 'restored with one difference: x';
  moves.note('DataUpload', { type: 'warning', item: itemOf('b'), reason: 'Differences', message });
  t.match(moves.list(), [{ id: 'b', phase: 'Completed', code: '', namespace: 'velero', pod: '' }]);
});

t.test('the last ten are, the newest first, each once', async t => {
  const { moves } = remembered();
  for (let index = 0; index < 30; index += 1) moves.note('X', phase(`${index % 15}`, 'Canceled'));
  t.strictSame(
    moves.list().map(({ id }) => id),
    ['14', '13', '12', '11', '10', '9', '8', '7', '6', '5'],
  );
});
