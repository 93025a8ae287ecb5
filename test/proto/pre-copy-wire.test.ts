import t from 'tap';
import { type PreCopy, preCopiesFromWire, preCopiesToWire } from '#proto/pre-copy-wire.ts';
import { decodeControllerMessage, encodeControllerMessage } from '#proto/session-codec.ts';
import { MESSAGE_BYTES_MAX, PRE_COPIES_MAX } from '#proto/wire-limits.ts';

const VOLUME: PreCopy = {
  namespace: 'shop',
  pod: 'db-0',
  podUid: '77777777-0000-4000-8000-000000000001',
  volumeName: 'data',
  claim: 'data-db-0',
  location: 'default',
  dueMs: 1_800_000_000_000,
  leftMs: 1_800_000,
};

function sent(volumes: readonly PreCopy[]) {
  const bytes = encodeControllerMessage({ preCopies: preCopiesToWire(volumes) });
  const { preCopies } = decodeControllerMessage(bytes);
  if (preCopies === null || preCopies === undefined) throw new Error('it is another message');
  return { bytes, preCopies };
}

t.test('volumes to be copied ahead come out as they went in, none included', async t => {
  t.strictSame(preCopiesFromWire(sent([VOLUME]).preCopies), [VOLUME]);
  t.strictSame(preCopiesFromWire(sent([]).preCopies), []);
});

t.test('a controller that does not say the claim is understood, and none is known', async t => {
  const { claim: _claim, ...earlier } = VOLUME;
  const bytes = encodeControllerMessage({ preCopies: { volumes: [earlier] } });
  const { preCopies } = decodeControllerMessage(bytes);
  if (preCopies === null || preCopies === undefined) throw new Error('it is another message');
  t.strictSame(preCopiesFromWire(preCopies), [{ ...VOLUME, claim: '' }]);
});

t.test('what is more than a message may carry is left out', async t => {
  const [pod, location, claim] = ['p', 'l', 'c'].map(letter => letter.repeat(253));
  const long = { ...VOLUME, pod, location, claim };
  const { bytes, preCopies } = sent(Array.from({ length: PRE_COPIES_MAX + 1 }, () => long));
  t.equal(preCopiesFromWire(preCopies).length, PRE_COPIES_MAX);
  t.ok(bytes.length < MESSAGE_BYTES_MAX);
});

t.test('what is no name, and what is too much, is refused', async t => {
  const code = 'COORDINATOR_MESSAGE_INVALID';
  for (const wrong of [{ podUid: '' }, { volumeName: 'a\n' }, { location: 'x'.repeat(513) }]) {
    t.throws(() => preCopiesFromWire(sent([{ ...VOLUME, ...wrong }]).preCopies), { code });
  }
  const { preCopies } = sent([VOLUME]);
  const tooMany = Array.from({ length: PRE_COPIES_MAX + 1 }, () => preCopies.volumes[0]);
  t.throws(() => preCopiesFromWire({ volumes: tooMany }), { code });
});
