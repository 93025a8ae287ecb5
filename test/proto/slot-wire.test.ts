// What goes over the wire comes out as it went in; what the wire cannot carry is cut, not changed.

import t from 'tap';
import { answerFromWire, answerToWire } from '#proto/answer-wire.ts';
import {
  decodeAgentMessage,
  decodeControllerMessage,
  encodeAgentMessage,
  encodeControllerMessage,
} from '#proto/session-codec.ts';
import {
  heartbeatFromWire,
  heartbeatToWire,
  sayingFromWire,
  sharesToWire,
  sharesFromWire,
} from '#proto/agent-saying.ts';
import * as slotWait from '#proto/generated/stevedore/v1/SlotWait.ts';
import { type SlotAnswer, type SlotReport, WAIT_CAUSES } from '#proto/slot-messages.ts';
import { reportToWire } from '#proto/slot-wire.ts';

const VOLUME = {
  id: 'u-1',
  namespace: 'shop',
  pod: 'db-0',
  storageClass: '',
  location: 'default',
  gang: undefined,
  move: 'PodVolumeBackup/daily-1',
  volumeName: 'data',
};
const SPEAKER = { node: 'n1', session: 1_700_000_000_000 };

const REPORT: SlotReport = {
  ...SPEAKER,
  sequence: 7,
  epoch: 3,
  sentAtMs: 12_345.678,
  slotsMax: 2,
  requests: [
    { ...VOLUME, number: 1, priority: 0, waitedMs: 0 },
    {
      ...VOLUME,
      id: 'u-2',
      gang: { key: 'shop/db', count: 3 },
      number: 2,
      priority: 9,
      waitedMs: 5,
    },
    {
      ...VOLUME,
      id: 'u-3',
      gang: { key: 'k', count: undefined },
      number: 3,
      priority: 5,
      waitedMs: 1,
    },
  ],
  holds: [
    { ...VOLUME, id: 'u-4', number: 4, grant: { epoch: 3, serial: 0 }, isAlone: false },
    { ...VOLUME, id: 'u-5', number: 5, grant: undefined, isAlone: true },
  ],
};

function overTheWire(report: SlotReport) {
  const bytes = encodeAgentMessage({ slots: reportToWire(report) });
  return sayingFromWire(decodeAgentMessage(bytes), SPEAKER);
}

t.test('a report comes out as it went in', async t => {
  t.strictSame(overTheWire(REPORT), { kind: 'slots', report: REPORT });
});

t.test('an agent that does not name its moves is understood', async t => {
  const { move: _move, volumeName: _name, ...unnamed } = VOLUME;
  const requests = [{ ...unnamed, number: 1, priority: 0, waitedMs: 0 }];
  t.match(overTheWire({ ...REPORT, requests }), {
    report: { requests: [{ id: VOLUME.id, move: '', volumeName: '' }] },
  });
});

t.test('the node and the start of the agent are those of the session', async t => {
  const forged = { ...REPORT, node: 'other', session: 1 };
  t.match(overTheWire(forged), { report: SPEAKER });
});

t.test('parts of a millisecond of waiting are cut, and less than nothing is nothing', async t => {
  const [first] = REPORT.requests;
  const requests = [2.9, -3].map((waitedMs, index) => ({ ...first, id: `w-${index}`, waitedMs }));
  t.match(overTheWire({ ...REPORT, requests }), {
    report: { requests: [{ waitedMs: 2 }, { waitedMs: 0 }] },
  });
});

t.test('an answer comes out as it went in, with every reason and cause', async t => {
  const grant = { id: 'u-1', node: 'n1', number: 1, epoch: 3, serial: 9 };
  const answer: SlotAnswer = {
    ...SPEAKER,
    epoch: 3,
    number: 8,
    heard: { sequence: 7, sentAtMs: -0.5 },
    grants: [
      { ...grant, reason: { kind: 'turn', priority: 0 } },
      { ...grant, reason: { kind: 'overdue', waitedMs: 3_600_000 } },
      { ...grant, reason: { kind: 'gang', gang: 'g', count: 2 } },
      { ...grant, reason: { kind: 'wave', gang: 'g', wave: 1, count: 2, leftCount: 0 } },
      { ...grant, reason: { kind: 'later' } },
    ],
    revoked: ['u-8', 'u-9'],
    waits: WAIT_CAUSES.map((cause, index) => ({
      ...{ id: `w-${index}`, place: index, cause },
      limit: cause === 'full' ? { kind: 'cluster', name: '' } : undefined,
    })),
  };
  const { slots } = decodeControllerMessage(
    encodeControllerMessage({ slots: answerToWire(answer) }),
  );
  if (!slots) throw new Error('an answer is about slots');
  t.strictSame(answerFromWire(slots, 'n1'), answer);
});

t.test(
  'causes are called as in coordinator.proto, and one of a later version is known',
  async t => {
    const names = ['CAUSE_UNSPECIFIED', ...WAIT_CAUSES.slice(1).map(cause => cause.toUpperCase())];
    const numbers = slotWait._stevedore_v1_SlotWait_Cause;
    t.strictSame(Object.keys(numbers), names);
    t.strictSame(Object.values(numbers), [...names.keys()]);
    const { slots } = decodeControllerMessage(
      encodeControllerMessage({
        slots: {
          heard: {},
          waits: [{ id: 'w', place: 1, cause: 77 as 0 /* Of a later version. */ }],
        },
      }),
    );
    t.match(slots && answerFromWire(slots, 'n1').waits, [{ id: 'w', cause: 'later' }]);
  },
);

const failedMove = (id: string, message = 'the volume is gone (VOLUME_NOT_FOUND)') => ({
  ...{ id, move: 'PodVolumeBackup/daily-1', namespace: 'shop', pod: 'web-0', volumeName: 'files' },
  ...{ phase: 'Failed', code: 'VOLUME_NOT_FOUND', message, endedAgoMs: 5 },
});

t.test('what a move says of its failure is cut and printable, whatever it names', async t => {
  const beat = {
    ...{ diskFreeBytes: undefined, cache: undefined, moves: [] },
    memory: { usedBytes: 0, limitBytes: undefined },
    failed: Array.from({ length: 12 }, (_, index) =>
      failedMove(`u-${index}`, '\u{1f4a5}\n\x1b' + 'é'.repeat(400)),
    ),
  };
  const saying = sayingFromWire(
    decodeAgentMessage(encodeAgentMessage(heartbeatToWire(beat))),
    SPEAKER,
  );
  const failed = saying.kind === 'heartbeat' ? saying.heartbeat.failed : [];
  t.equal(failed.length, 10);
  t.equal(failed[0]?.message, `${'?'.repeat(297)}...`);
});

t.test('caches without a line, and agents that say nothing of it, are told from zero', async t => {
  const { heartbeat } = decodeAgentMessage(
    encodeAgentMessage({ heartbeat: { cache: { limitBytes: 5, usedBytes: 3 } } }),
  );
  t.strictSame(heartbeat && heartbeatFromWire(heartbeat).cache, {
    ...{ limitBytes: 5, usedBytes: 3, reservedBytes: undefined, evictionLineBytes: undefined },
  });
});

t.test('a heartbeat and shares tell nothing from zero', async t => {
  const beat = {
    diskFreeBytes: 0,
    cache: { limitBytes: 2 ** 40, usedBytes: 0, reservedBytes: 0, evictionLineBytes: 0 },
    memory: { usedBytes: 5, limitBytes: undefined },
    moves: [
      {
        id: 'u-1',
        kind: 'PodVolumeBackup',
        doneBytes: 1,
        totalBytes: undefined,
        uploadBytesPerSecond: 2,
        downloadBytesPerSecond: 0,
        doneBytesPerSecond: 0,
      },
      {
        id: 'u-2',
        kind: '',
        doneBytes: 0,
        totalBytes: 0,
        uploadBytesPerSecond: 0,
        downloadBytesPerSecond: 0,
        doneBytesPerSecond: undefined,
      },
    ],
    failed: [failedMove('u-3')],
  };
  const heard = (heartbeat: Parameters<typeof heartbeatToWire>[0]) =>
    sayingFromWire(decodeAgentMessage(encodeAgentMessage(heartbeatToWire(heartbeat))), SPEAKER);
  t.strictSame(heard(beat), { kind: 'heartbeat', heartbeat: beat });
  const bare = { ...beat, diskFreeBytes: undefined, cache: undefined, moves: [], failed: [] };
  t.strictSame(heard(bare), { kind: 'heartbeat', heartbeat: bare });
  const shares = {
    upload: { number: 3, bytesPerSecond: 0 },
    download: { number: 4, bytesPerSecond: undefined },
  };
  const told = decodeControllerMessage(encodeControllerMessage(sharesToWire(shares))).shares;
  t.strictSame(told && sharesFromWire(told), shares);
});
