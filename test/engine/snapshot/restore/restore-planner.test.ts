import t from 'tap';
import { RestorePlanner } from '#engine/snapshot/restore/restore-planner.ts';
import { RestoreReport } from '#engine/snapshot/restore/restore-report.ts';
import { type Node, storeTree } from '#test/support/stored-tree.ts';
import { sceneOf, small } from './restore-scene.ts';

const DIRECTORIES = 300;
const FILES = 50;

t.test('the tables of a section stay within their bound', async t => {
  const file = small('text');
  const files = Array.from({ length: FILES }, (_, index) => [`file ${index}`, file] as const);
  const tree: Node = {
    directory: Array.from({ length: DIRECTORIES }, (_, index) => [
      `directory ${index}`,
      { directory: files },
    ]),
  };
  const { contents, parts } = sceneOf(t, { directory: [] });
  const root = storeTree(contents, tree);
  for (const { sectionBytesMax, isOne } of [
    { sectionBytesMax: 3 << 20, isOne: false },
    { sectionBytesMax: 32 << 20, isOne: true },
  ]) {
    const planner = new RestorePlanner(
      { ...parts, report: new RestoreReport() },
      { targets: ['/out'], sectionBytesMax, mayBeTaken: false, signal: undefined },
    );
    planner.addTree(root, 0);
    const counts: number[] = [];
    for (;;) {
      const section = await planner.nextSection();
      if (section === undefined) break;
      counts.push(section.table.entryCount);
      t.ok(section.table.allocatedBytes <= sectionBytesMax, `${section.table.allocatedBytes}`);
    }
    t.equal(
      counts.reduce((sum, count) => sum + count),
      DIRECTORIES * FILES,
    );
    t.equal(counts.length === 1, isOne, counts.join());
    t.equal(planner.directories.count, 1 + DIRECTORIES);
  }
});
