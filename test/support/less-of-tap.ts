// What tap does for each process and nobody here looks at. .taprc loads this before tap.
//
// tap follows every promise of a process with an async hook, to find the test that an error outside
// of all of them belongs to. Half the time of a backup in a test went there. Without the hook such
// an error ends the process: it is as red, and its stack says where.
//
// And it notes every module that is loaded, with its source maps, in .tap/processinfo and for the
// programs that a test starts likewise, to repeat only what changed: 0.4 s of CPU for each process.

import asyncHooks from 'node:async_hooks';
import { syncBuiltinESMExports } from 'node:module';

const idle = { enable: () => idle, disable: () => idle };
asyncHooks.createHook = () => idle;
syncBuiltinESMExports();
process.env._TAPJS_PROCESSINFO_EXCLUDE_ = '/./';
