import t from 'tap';
import { traceIdentityOf } from '#agent/moves/trace-identity.ts';

const UID = '0f8fad5b-d9cb-469f-a165-70867728950e';
const OF_UID = '0f8fad5bd9cb469fa16570867728950e';
const [TRACE, SPAN, OTHER] = ['a1'.repeat(16), 'b2'.repeat(8), 'c3'.repeat(16)];

function identity(annotations: Record<string, string>, uid = UID) {
  const metadata = { name: 'daily-1', namespace: 'velero', uid, annotations };
  return traceIdentityOf({ metadata, spec: { backupStorageLocation: 'default' } });
}

const BY_TRACEPARENT = {
  [`00-${TRACE}-${SPAN}-01`]: { traceId: TRACE, spanId: SPAN, isSampled: true },
  [`00-${TRACE}-${SPAN}-00`]: { traceId: TRACE, spanId: SPAN, isSampled: false },
  [`00-${TRACE}-${SPAN}-03`]: { traceId: TRACE, spanId: SPAN, isSampled: true },
  [`cc-${TRACE}-${SPAN}-01-what-comes-later`]: { traceId: TRACE, spanId: SPAN, isSampled: true },
  [`ff-${TRACE}-${SPAN}-01`]: undefined,
  [`00-${TRACE.toUpperCase()}-${SPAN}-01`]: undefined,
  [`00-${'0'.repeat(32)}-${SPAN}-01`]: undefined,
  [`00-${TRACE}-${'0'.repeat(16)}-01`]: undefined,
  [`00-${TRACE}-${SPAN}`]: undefined,
  [`00-${TRACE}-${SPAN}-01\n`]: undefined,
  '': undefined,
};

for (const [traceparent, parent] of Object.entries(BY_TRACEPARENT)) {
  t.test(`traceparent ${JSON.stringify(traceparent)}`, async t => {
    const expected = parent ? { traceId: TRACE, parent } : { traceId: OF_UID };
    t.strictSame(identity({ traceparent }), expected);
  });
}

t.test('the trace of an agent before counts first', async t => {
  const before = { 'stevedore.io/trace-id': OTHER };
  t.strictSame(identity(before), { traceId: OTHER });
  const traceparent = `00-${TRACE}-${SPAN}-01`;
  t.strictSame(identity({ ...before, traceparent }), { traceId: OTHER });
  t.equal(identity({ 'stevedore.io/trace-id': TRACE, traceparent }).parent?.spanId, SPAN);
  t.strictSame(identity({ 'stevedore.io/trace-id': 'by hand' }), { traceId: OF_UID });
});

t.test('a uid that is no UUID has an id all the same, its own', async t => {
  const { traceId } = identity({}, 'of-web');
  t.match(traceId, /^[0-9a-f]{32}$/);
  t.not(identity({}, 'of-web-2').traceId, traceId);
});
