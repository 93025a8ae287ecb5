// Real file systems, small ones and odd ones.

import { testInMountNamespace } from '#test/support/mount-namespace.ts';

testInMountNamespace(new URL('./mounted-targets.ts', import.meta.url));
