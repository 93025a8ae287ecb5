// How a native call ends: with its result, or with its errno below zero.

import { constants as osConstants } from 'node:os';

import { nativeErrno } from '#engine/base/native.ts';

const INTERRUPTIONS_MAX = 100;

/** What `call` returns, or its errno below zero; a signal in between is no failure. */
export function retried(call: () => number): number {
  for (let attempt = 0; ; attempt++) {
    const result = call();
    if (result >= 0) return result;
    const errno = nativeErrno();
    if (errno !== osConstants.errno.EINTR || attempt >= INTERRUPTIONS_MAX) return -errno;
  }
}
