import t from 'tap';
import { HidingClient } from '#agent/hiding-client.ts';
import { POD_VOLUME_BACKUPS } from '#agent/moves/objects/pod-volume-backup.ts';
import type { KubeClient } from '#kube/kube-client.ts';
import { EVENTS } from '#kube/events.ts';

function clientThat(write: (object: unknown) => void): HidingClient {
  const note = async (_resource: unknown, object: unknown) => write(object);
  const patch = async (_resource: unknown, _name: unknown, object: unknown) => write(object);
  // Only what writes is called.
  const inner = { create: note, replace: note, patch } as unknown as KubeClient;
  return new HidingClient(inner, text => text.replaceAll('secret', '[hidden]'));
}

t.test('messages are hidden in whatever way they are written', async t => {
  const written: unknown[] = [];
  const client = clientThat(object => written.push(object));
  const metadata = { name: 'secret', namespace: 'velero' };
  const move = { metadata, status: { phase: 'Failed', message: 'the secret' } };
  await client.replace(POD_VOLUME_BACKUPS, move);
  const event = { metadata, message: 'secret' };
  await client.create(EVENTS, event);
  await client.patch(EVENTS, metadata, { type: 'merge', body: { status: { message: 'secret' } } });
  t.strictSame(written, [
    { metadata, status: { phase: 'Failed', message: 'the [hidden]' } },
    { metadata, message: '[hidden]' },
    { type: 'merge', body: { status: { message: '[hidden]' } } },
  ]);
});

t.test('what has nothing to hide is written as it is', async t => {
  const written: unknown[] = [];
  const client = clientThat(object => written.push(object));
  const metadata = { name: 'secret', namespace: 'velero' };
  for (const object of [{ metadata }, { metadata, status: { message: 'fine' } }]) {
    await client.replace(POD_VOLUME_BACKUPS, object);
    t.equal(written.pop(), object);
  }
});
