// Which end, of those that an object may show, is the one that was sent.

import t from 'tap';
import { HidingClient } from '#agent/hiding-client.ts';
import { SecretTexts } from '#agent/log-secrets.ts';
import { POD_VOLUME_BACKUPS } from '#agent/moves/objects/pod-volume-backup.ts';
import type { MoveObject } from '#agent/moves/objects/move-object.ts';
import { UnconfirmedWrites } from '#agent/moves/unconfirmed-writes.ts';
import type { KubeClient } from '#kube/kube-client.ts';

const METADATA = { name: 'daily-1', namespace: 'velero', uid: 'u' };

function failed(message: string): MoveObject {
  return {
    metadata: METADATA,
    spec: { backupStorageLocation: 'default' },
    status: { phase: 'Failed', message },
  };
}

/** Whether what was sent is found in what is shown. */
function isFound(sent: string, shown: MoveObject): boolean {
  const writes = new UnconfirmedWrites();
  writes.add(shown, { phase: 'Failed', fields: {}, message: sent });
  return writes.take(shown) !== undefined;
}

/** As the server has it. */
async function written(message: string, secrets: SecretTexts): Promise<MoveObject> {
  const replace = async (_resource: unknown, object: unknown) => object;
  // Only this is called.
  const client = new HidingClient({ replace } as unknown as KubeClient, secrets.hideIn);
  return client.replace(POD_VOLUME_BACKUPS, failed(message));
}

t.test('an end is known again without the secrets that the client has left out', async t => {
  const secrets = new SecretTexts();
  secrets.add('wJalr/XUtn+FEMI');
  const texts = [
    'refused: wJalr/XUtn+FEMI',
    'wJalr/XUtn+FEMI was refused (STORAGE_DENIED)',
    'wJalr/XUtn+FEMI and https://user:pass@host/ and sig=00ff00, by the storage',
    'of https://user:pass@host/: https://user:pass@host/',
    'wJalr/XUtn+FEMI',
    'it says [hidden]',
    'nothing to hide',
  ];
  for (const text of texts) t.ok(isFound(text, await written(text, secrets)), text);
});

t.test('an end of another is not, whatever is left out of it', async t => {
  const rows = [
    ['a: key, b', 'a: [hidden], c'],
    ['a: key, b', 'b: [hidden], b'],
    ['a: key of b, c', 'a: [hidden] of d, [hidden], c'],
    ['ab', 'ab[hidden]b'],
    ['a: key', 'a: other'],
  ] as const;
  for (const [sent, shown] of rows) t.notOk(isFound(sent, failed(shown)), shown);
});
