// All scenarios of moves. Each takes a stage on some API server, and leaves nothing behind there.

import { BACKUP_SCENARIOS } from './backup-scenarios.ts';
import { CANCEL_SCENARIOS } from './cancel-scenarios.ts';
import type { MoveScenario } from './move-stage.ts';
import { RESTART_SCENARIOS } from './restart-scenarios.ts';
import { RESTORE_SCENARIOS } from './restore-scenarios.ts';
import { TROUBLE_SCENARIOS } from './trouble-scenarios.ts';

export const MOVE_SCENARIOS: readonly MoveScenario[] = Object.freeze([
  ...BACKUP_SCENARIOS,
  ...CANCEL_SCENARIOS,
  ...RESTART_SCENARIOS,
  ...RESTORE_SCENARIOS,
  ...TROUBLE_SCENARIOS,
]);
