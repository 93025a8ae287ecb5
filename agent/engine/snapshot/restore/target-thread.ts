// Entry of the worker thread that owns the target of one restore.

import { serveTasks } from '#engine/workers/serve.ts';
import type { TargetTasks } from './target-tasks.ts';
import { TargetTree } from './target-tree.ts';

const tree = new TargetTree();

serveTasks<TargetTasks>({
  open: input => ({ output: tree.open(input) }),
  enter: input => ({ output: tree.enter(input) }),
  leave: input => ({ output: tree.leave(input) }),
  link: input => ({ output: tree.link(input) }),
  small: input => ({ output: tree.small(input) }),
  create: input => ({ output: tree.create(input) }),
  write: input => ({ output: tree.write(input) }),
  finish: input => ({ output: tree.finish(input) }),
});
