// tap follows every promise of a process with an async hook, to find the test that an error outside
// of all of them belongs to. Half the time of a backup in a test went there. Without the hook such
// an error ends the process: it is as red, and its stack says where. .taprc loads this before tap.

import asyncHooks from 'node:async_hooks';
import { syncBuiltinESMExports } from 'node:module';

const idle = { enable: () => idle, disable: () => idle };
asyncHooks.createHook = () => idle;
syncBuiltinESMExports();
