// The token that a call shows in its metadata. Nobody has looked at it.

import type { Metadata } from './grpc.ts';

/** Undefined where there is none, or more than one. */
export function bearerToken(metadata: Metadata): string | undefined {
  const values = metadata.get('authorization');
  const match = /^Bearer (\S+)$/i.exec(String(values[0] ?? ''));
  return values.length === 1 ? match?.[1] : undefined;
}
