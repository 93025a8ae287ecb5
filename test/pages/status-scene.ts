// A controller with agents that say what a page is to show: caches near and far from the line,
// moves that run, wait and have failed, and windows of bandwidth.

import { connect } from 'node:net';
import type { Test } from 'tap';
import type { AgentMessage } from '#proto/session-codec.ts';
import { type ControllerScene, startController } from '#test/controller/controller-scene.ts';
import { SpeakingAgent } from '#test/controller/wire-agent.ts';

const GIB = 2 ** 30;
const NAMESPACES = ['shop', 'billing', 'search', 'mail', 'wiki'];
const VOLUMES = ['data', 'files', 'uploads', 'attachments'];

export const RATES = [
  ...['--upload-rate', '200MiB', '--download-rate', '400MiB', '--rate-windows'],
  `[{name: office hours, from: "0 8 * * 1-5", until: "0 18 * * 1-5", timeZone: Europe/Berlin,
     uploadRate: 50MiB},
    {name: always open, from: "0 0 * * *", until: "0 0 30 2 *", timeZone: UTC, uploadRate: 90MiB}]`,
];

export interface StatusScene extends ControllerScene {
  readonly url: string;
  readonly status: number;
  /** One more, which the controller has heard when this resolves. */
  readonly addNode: (index: number) => Promise<void>;
}

export async function startStatus(
  t: Test,
  { nodes, slots }: { readonly nodes: number; readonly slots: number },
): Promise<StatusScene> {
  const scene = await startController(t, ['--cluster-slots', String(slots), ...RATES]);
  const port = Number((await scene.log.says('the status page is served')).port);
  const hasHeard = async (index: number) => {
    const line = `stevedore_controller_node_cache_limit_bytes{node="${nodeName(index)}"}`;
    while (!(await scene.served('/metrics')).includes(line)) await new Promise(setImmediate);
  };
  const say = async (index: number) => {
    const agent = new SpeakingAgent(t, scene, nodeName(index));
    agent.say(reportOf(index));
    await agent.hears(({ slots: answer }) => Boolean(answer));
    agent.say(heartbeatOf(index));
  };
  const addNode = async (index: number) => {
    await say(index);
    await hasHeard(index);
  };
  for (let index = 0; index < nodes - 1; index += 1) await say(index);
  await addNode(nodes - 1);
  return { ...scene, url: `http://127.0.0.1:${port}/`, status: port, addNode };
}

export function nodeName(index: number): string {
  return `ip-10-0-${index >> 8}-${index & 255}.eu-central-1.compute.internal`;
}

function volumeOf(index: number, which: number) {
  const number = index * 2 + which;
  return {
    id: `0b9c${number.toString(16).padStart(4, '0')}-71a4-4d06-9a9e-5d5f4f3b2a1c`,
    namespace: NAMESPACES[number % NAMESPACES.length],
    pod: `app-${number % 7}`,
    ...{ storageClass: 'fast', location: 'default' },
    move: `PodVolumeBackup/nightly-20261128-${number.toString(36).padStart(5, 'x')}`,
    volumeName: VOLUMES[number % VOLUMES.length],
  };
}

function reportOf(index: number): AgentMessage {
  const requests = [0, 1].map(which => ({
    volume: volumeOf(index, which),
    ...{ number: which + 1, priority: 5, waitedMs: index * 7_000 },
  }));
  return { slots: { ...{ sequence: 1, epoch: 0, sentAtMs: 0, slotsMax: 2 }, requests, holds: [] } };
}

/** The first is at the line, the second near it, the third well; and so on, further and further. */
function heartbeatOf(index: number): AgentMessage {
  const line = 15 * GIB;
  const distance = [-0.2, 0.5, 40][index] ?? 5 + (index % 60);
  const moves = [0, 1].map(which => ({
    ...{ id: volumeOf(index, which).id, kind: 'PodVolumeBackup', totalBytes: 40 * GIB },
    doneBytes: ((index * 13 + which * 7) % 40) * GIB,
    ...{ uploadBytesPerSecond: 6 * 2 ** 20, downloadBytesPerSecond: 0 },
    doneBytesPerSecond: index % 5 === 1 ? 0 : 48 * 2 ** 20,
  }));
  return {
    heartbeat: {
      diskFreeBytes: Math.round(line + distance * GIB),
      cache: {
        ...{ limitBytes: 20 * GIB, usedBytes: ((index * 7) % 19) * GIB + GIB / 2 },
        ...{ reservedBytes: (index % 3) * GIB, evictionLineBytes: line },
      },
      memory: { usedBytes: 0.31 * GIB, limitBytes: GIB },
      moves,
      failed: index % 4 === 1 ? [failureOf(index)] : [],
    },
  };
}

function failureOf(index: number) {
  const volume = volumeOf(index, 1);
  const { namespace, pod, move, volumeName } = volume;
  const [phase, code, message] = FAILURES[(index >> 2) % FAILURES.length] ?? FAILURES[0];
  const id = `failed-${index}`;
  return { id, namespace, pod, move, volumeName, phase, code, message, endedAgoMs: 60_000 * index };
}

const FAILURES = [
  [
    'Failed',
    'STORAGE_ACCESS_DENIED',
    'the object storage refuses to store p1f9: AccessDenied (STORAGE_ACCESS_DENIED)',
  ],
  ['Completed', '', 'one file was not backed up: cache/lock: Permission denied'],
  ['Canceled', '', 'cancelled, because spec.cancel was set'],
  ['Failed', 'TARGET_FULL', 'the volume is full after 31 GiB of 40 GiB (TARGET_FULL)'],
] as const;

/** One request as its bytes, and all that comes back. */
export async function rawRequest(port: number, text: string): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  socket.write(text);
  let answer = '';
  for await (const part of socket.setEncoding('utf8')) answer += String(part);
  return answer;
}
