// What tests of traces have in common: variables, flags, and what an object says.

import type { Test } from 'tap';
import { POD_VOLUME_BACKUPS } from '#agent/moves/objects/pod-volume-backup.ts';
import { ANNOTATIONS } from '#agent/moves/objects/well-known-names.ts';
import type { KubeEmulator } from '#test/kube-emulator/kube-emulator.ts';
import type { OtlpReceiver } from './otlp-receiver.ts';

/** Until the end of the test. */
export function environment(t: Test, variables: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(variables)) {
    const before = process.env[name];
    process.env[name] = value;
    t.teardown(() => {
      if (before === undefined) delete process.env[name];
      else process.env[name] = before;
    });
  }
}

export function withEndpoint({ url }: Pick<OtlpReceiver, 'url'>): { readonly flags: string[] } {
  return { flags: ['--otlp-endpoint', url] };
}

/** The id that the object of a move says. */
export function traced(api: KubeEmulator, name: string, resource = POD_VOLUME_BACKUPS) {
  const found = api.object(resource, { namespace: 'velero', name });
  return found?.metadata.annotations?.[ANNOTATIONS.traceId];
}
