// The calls of a machine as an old kernel has them, or a filter of system calls leaves them.

import { constants } from 'node:os';

import type { TargetCalls } from '#engine/snapshot/target/target-calls.ts';

/** The same calls without openat2, which fails with `errno`. */
export function withoutOpenBeneath(
  calls: TargetCalls,
  errno: number = constants.errno.ENOSYS,
): TargetCalls {
  return new Proxy(calls, {
    get: (target, name) => {
      const member: unknown = Reflect.get(target, name, target);
      if (name === 'openBeneath') return () => -errno;
      // Methods use private fields, which the proxy does not have.
      return typeof member === 'function' ? (member as () => unknown).bind(target) : member;
    },
  });
}
