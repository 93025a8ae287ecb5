import t from 'tap';
import { compareTasks } from '#engine/snapshot/restore/compare-tasks.ts';
import { CHUNK_FLAG, ENTRY_ACTION, SectionTable } from '#engine/snapshot/restore/plan-tables.ts';

const MiB = 1 << 20;

function tableOf(files: readonly { action: number; chunks: number[]; present?: number }[]) {
  const table = new SectionTable(17);
  for (const { action, chunks, present } of files) {
    const row = table.addEntry();
    table.entries.action[row] = action;
    table.entries.bytes[row] = chunks.reduce((sum, bytes) => sum + bytes, 0);
    for (const [index, bytes] of chunks.entries()) {
      const chunk = table.addChunk(new Uint8Array(17));
      table.chunks.entry[chunk] = row;
      table.chunks.bytes[chunk] = bytes;
      if (index === present) table.chunks.flags[chunk] = CHUNK_FLAG.present;
    }
  }
  return table;
}

t.test('a large file is compared by several tasks, and files share them', async t => {
  const { update, make, settle } = ENTRY_ACTION;
  const table = tableOf([
    { action: update, chunks: [8 * MiB, 8 * MiB, 60 * MiB, 8 * MiB], present: 1 },
    { action: make, chunks: [8 * MiB] },
    { action: settle, chunks: [8 * MiB] },
    { action: update, chunks: [4 * MiB, 4 * MiB] },
    { action: update, chunks: [MiB] },
  ]);
  const tasks = [...compareTasks(table)].map(chunks => [...chunks]);
  t.strictSame(tasks, [
    [0, 2],
    [3, 6, 7],
  ]);
});

t.test('chunks of nothing do not make a task without end', async t => {
  const chunks = Array.from({ length: 5000 }, () => 300);
  const tasks = [...compareTasks(tableOf([{ action: ENTRY_ACTION.update, chunks }]))];
  t.strictSame(
    tasks.map(({ length }) => length),
    [4096, 904],
  );
});
