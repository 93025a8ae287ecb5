// Who says when a move may begin: the controller, where one is set and as long as it is there, else
// this node by its own limit. Which of them it is is said at each change, in the log and in a
// metric; the agent is ready either way.

import type { Clock } from '#engine/base/clock.ts';
import { controlGroupBytes } from '#engine/base/memory-budget.ts';
import { packageVersion } from '#engine/base/package-version.ts';
import type { Cache, Traffic } from '#engine/index.ts';
import type { FailedMoves } from '#agent/coordinator/failed-moves.ts';
import { readAccess } from '#agent/coordinator/link-access.ts';
import type { Standing } from '#agent/coordinator/slot-keeper.ts';
import { type MoveSlots, Slots } from '#agent/moves/slots.ts';
import type { WantedVolume } from '#agent/pre-copy/wanted-volume.ts';
import type { KubeClient } from '#kube/kube-client.ts';
import { ClaimClasses } from './claim-classes.ts';
import type { AgentConfig } from './config-table.ts';
import type { Log } from './log.ts';
import type { SlotStanding } from './metrics.ts';
import { nodeCondition } from './node-condition.ts';

export interface SlotParts {
  readonly client: Pick<KubeClient, 'get'>;
  readonly clock: Clock;
  readonly log: Log;
  /** Aborted when the agent is told to end. */
  readonly signal: AbortSignal;
  readonly cache: Cache | undefined;
  /** What goes by the controller's shares; undefined where none is set. */
  readonly traffic: Traffic | undefined;
  /** Moves that did not end as they should have. */
  readonly failed: Pick<FailedMoves, 'list'>;
  /** All volumes that the controller wants ahead of their backups, at each change. */
  readonly onPreCopies: (volumes: readonly WantedVolume[]) => void;
}

export interface OpenSlots extends AsyncDisposable {
  readonly slots: MoveSlots;
  readonly standing: () => SlotStanding;
}

/** To be disposed of when moves have come to rest: the controller is told that it is the end. */
export async function openMoveSlots(
  config: AgentConfig,
  parts: SlotParts,
  count: number,
): Promise<OpenSlots> {
  const { controller: address } = config;
  const { client, log, clock, cache, traffic, signal, failed, onPreCopies } = parts;
  if (address === undefined || traffic === undefined) {
    log.info({ slots: count }, 'no controller is set; this node goes by its own limit');
    const nothing = async () => undefined;
    return { slots: new Slots(count), standing: () => 'none', [Symbol.asyncDispose]: nothing };
  }
  // gRPC and its codec, for those who need them alone.
  const { CoordinatedSlots } = await import('#agent/coordinator/coordinated-slots.ts');
  const { ObeyedShares } = await import('#agent/coordinator/obeyed-shares.ts');
  const { MoveRates } = await import('#agent/coordinator/move-rates.ts');
  const rates = new MoveRates({ traffic, clock });
  const memoryLimit = controlGroupBytes();
  const shares = new ObeyedShares({
    traffic,
    onChange: ({ upload, download }) => {
      const rates = { upload: upload?.bytesPerSecond, download: download?.bytesPerSecond };
      log.debug(rates, 'the share of bandwidth has changed');
    },
  });
  const classes = new ClaimClasses({ client, clock, log, signal });
  let standing: SlotStanding = 'away';
  let hasSaid = false;
  const files = {
    caPath: config.controllerPlainText ? undefined : config.controllerCaFile,
    tokenPath: config.controllerTokenFile,
  };
  const slots: InstanceType<typeof CoordinatedSlots> = new CoordinatedSlots({
    address,
    access: () => readAccess(files),
    node: config.nodeName,
    version: packageVersion(),
    clock,
    slotsMax: count,
    classOf: move => classes.of(move),
    ...{ shares, onPreCopies },
    heartbeat: () => ({
      ...nodeCondition(cache, memoryLimit),
      moves: rates.of(slots.moves),
      failed: failed.list(),
    }),
    onStanding: next => {
      if (next.kind !== standing || !hasSaid) sayStanding(log, next, count);
      standing = next.kind;
      hasSaid = true;
    },
  });
  const end = new AbortController();
  const running = slots.run(end.signal);
  return {
    slots,
    standing: () => standing,
    async [Symbol.asyncDispose]() {
      end.abort();
      await running;
    },
  };
}

function sayStanding(log: Log, standing: Standing, slots: number): void {
  switch (standing.kind) {
    case 'with':
      return log.info({}, 'the controller gives slots');
    case 'away': {
      const { error, retryMs } = standing.lost;
      return log.warn({ error, retryMs }, 'the controller is away; slots are held for their lease');
    }
    case 'alone':
      return log.warn(
        { slots },
        'the controller is away for long; this node goes by its own limit',
      );
  }
}
