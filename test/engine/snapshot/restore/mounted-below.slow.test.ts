// File systems that are mounted below a target.

import { testInMountNamespace } from '#test/support/mount-namespace.ts';

testInMountNamespace(new URL('./mounted-below.ts', import.meta.url));
