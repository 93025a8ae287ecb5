// One look at all moves that are not at their end: each is left alone, explained or ended.

import type { Log } from '#agent/log.ts';
import { isDataMove } from '#agent/moves/exposed-moves.ts';
import type { MoveObject } from '#agent/moves/objects/move-object.ts';
import type { Clock } from '#engine/base/clock.ts';
import type { EventWriter } from '#kube/events.ts';
import type { KubeClient } from '#kube/kube-client.ts';
import { keyOf } from '#kube/kube-object.ts';
import { DataSurvey } from './data-survey.ts';
import { decideStuckData } from './decide-stuck-data.ts';
import { decideStuck, type StuckAction, type StuckLimits } from './decide-stuck.ts';
import { endStuckMove } from './end-stuck-move.ts';
import { type MoveRecord, recordOf } from './move-record.ts';
import { StuckSurvey } from './stuck-survey.ts';
import { unlessForbidden } from './unless-refused.ts';

export interface StuckParts {
  readonly client: Pick<KubeClient, 'get' | 'list' | 'replace'>;
  readonly clock: Clock;
  readonly log: Pick<Log, 'warn'>;
  /** Velero's. */
  readonly namespace: string;
  readonly limits: StuckLimits;
  /** Whether its agent has a session. */
  readonly hasSession: (node: string) => boolean;
  readonly serviceAccount: string;
  /** Of a move that was ended. Must not throw. */
  readonly onEnded?: (record: MoveRecord, message: string) => void;
}

/** Of one look; the others have their turn at the next. */
const ENDS_MAX = 100;

export class StuckLook {
  readonly #parts: StuckParts;
  readonly #events: Pick<EventWriter, 'emit'>;
  readonly #survey: StuckSurvey;
  readonly #dataSurvey: DataSurvey;
  /** What was explained of each, by its uid. */
  readonly #told = new Map<string, string>();

  constructor(parts: StuckParts, events: Pick<EventWriter, 'emit'>) {
    this.#parts = parts;
    this.#events = events;
    this.#survey = new StuckSurvey(parts);
    this.#dataSurvey = new DataSurvey(parts);
  }

  /** At all moves that are not at their end. */
  async at(open: readonly MoveRecord[], signal: AbortSignal): Promise<void> {
    const actions = await this.#decide(open, signal);
    let endCount = 0;
    for (const [record, action] of actions) {
      if (action.type === 'explain') this.#explain(record, action);
      if (action.type !== 'fail' || endCount >= ENDS_MAX) continue;
      endCount += 1;
      await this.#end(record, action.message, signal);
    }
    const uids = new Set(open.map(({ metadata }) => metadata.uid ?? ''));
    for (const uid of this.#told.keys()) if (!uids.has(uid)) this.#told.delete(uid);
  }

  async #decide(
    open: readonly MoveRecord[],
    signal: AbortSignal,
  ): Promise<readonly (readonly [MoveRecord, StuckAction])[]> {
    const { limits } = this.#parts;
    const [ofVolumes, ofData] = [false, true].map(isData =>
      open.filter(({ resource }) => isDataMove(resource) === isData),
    );
    const views = await this.#survey.look(ofVolumes, signal);
    const dataViews = await this.#dataSurvey.look(ofData, signal);
    return [
      ...[...views].map(([record, view]) => [record, decideStuck(view, limits)] as const),
      ...[...dataViews].map(([record, view]) => [record, decideStuckData(view, limits)] as const),
    ];
  }

  /** Once more. */
  async #isStuck(record: MoveRecord, signal: AbortSignal): Promise<boolean> {
    const { limits } = this.#parts;
    if (isDataMove(record.resource)) {
      const view = await this.#dataSurvey.again(record, signal);
      return view !== undefined && decideStuckData(view, limits).type === 'fail';
    }
    const view = await this.#survey.again(record, signal);
    return view !== undefined && decideStuck(view, limits).type === 'fail';
  }

  #explain(record: MoveRecord, { message }: Extract<StuckAction, { type: 'explain' }>): void {
    const { uid = '' } = record.metadata;
    if (this.#told.get(uid) === message) return;
    this.#told.set(uid, message);
    const text = `waits, because ${message}`;
    this.#events.emit({
      regarding: record,
      type: 'Normal',
      reason: 'WaitingForPod',
      message: text,
    });
  }

  /** Unless it has changed, or its agent is back: then the next look decides anew. */
  async #end(record: MoveRecord, message: string, signal: AbortSignal): Promise<void> {
    const { client, clock, log } = this.#parts;
    const ended = await unlessForbidden(() =>
      endStuckMove<MoveObject>(record, message, {
        ...{ client, clock, signal },
        isStillStuck: now => this.#isStuck(recordOf(record.resource, now), signal),
      }),
    );
    if (!ended) return;
    log.warn(
      { move: keyOf(record), kind: record.resource.kind, why: message },
      'a stuck move is failed',
    );
    this.#events.emit({ regarding: record, type: 'Warning', reason: 'StuckMoveFailed', message });
    this.#parts.onEnded?.(record, message);
  }
}
