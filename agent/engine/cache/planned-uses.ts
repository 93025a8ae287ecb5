// What all running plans will need and when. A restore knows every range that it will read, in
// order, so what is needed furthest from now can go (Belady), and what comes next stays. Of several
// plans the one that comes to a window first counts.
//
// Each window that is in the cache is in the set of one plan, the one that was nearest when it was
// noted. Time makes others nearer and none further, so the distance noted is never too small: the
// furthest of all is found from the ends of the sets, by giving each window that is seen to be
// nearer to another plan to that one.

import { windowOf } from './entry-table.ts';
import { NEVER, type Plan, type PlannedRange, type PlannedWindow } from './plan.ts';

export type HasEntries = (key: PlannedWindow['key'], window: number) => boolean;

export interface FurtherWindow extends PlannedWindow {
  readonly distance: number;
}

/** A step of a plan. */
interface PlanStep {
  readonly plan: Plan;
  readonly step: number;
}

/** What was noted wrongly is put right by so many at a time, some 0.2 ms. */
const LOOKS_MAX = 1024;

/** All plans that run. */
export class PlannedUses {
  readonly #plans = new Set<Plan>();

  get isEmpty(): boolean {
    return this.#plans.size === 0;
  }

  /** @param hasEntries of the cache as it is now */
  begin(plan: Plan, hasEntries: HasEntries = () => false): Disposable {
    this.#plans.add(plan);
    for (let step = 0; step < plan.stepCount; step++) {
      const { key, window } = plan.at(step);
      if (hasEntries(key, window)) plan.held.add(step);
    }
    return { [Symbol.dispose]: () => this.#end(plan) };
  }

  /** Bytes that the next plan to need the window reads before; NEVER where none does. */
  distance(key: PlannedWindow['key'], window: number): number {
    let least = NEVER;
    for (const plan of this.#plans) {
      const step = plan.stepOf(key, window);
      if (step !== undefined) least = Math.min(least, plan.distanceOf(step));
    }
    return least;
  }

  /** Whether a plan that reads more than `bytes` has read it, and none will again. */
  isPassing(key: PlannedWindow['key'], window: number, bytes: number): boolean {
    let isPassing = false;
    for (const plan of this.#plans) {
      const step = plan.stepOf(key, window);
      if (step === undefined) continue;
      if (!plan.isDone(step)) return false;
      isPassing ||= plan.bytes > bytes;
    }
    return isPassing;
  }

  /** A range of `plan` was read; what others plan to read of it they still do. */
  read(plan: Plan, { key, offset, length }: PlannedRange): void {
    for (let window = windowOf(offset); window <= windowOf(offset + length - 1); window++) {
      const step = plan.stepOf(key, window);
      if (step === undefined) continue;
      plan.read(step);
      if (plan.isDone(step) && plan.held.delete(step)) this.#hold(key, window);
    }
  }

  /** Something of the window is in the cache now. */
  stored(key: PlannedWindow['key'], window: number): void {
    this.#hold(key, window);
  }

  *ahead(): Generator<PlannedWindow> {
    for (const plan of this.#plans) yield* plan.ahead();
  }

  /**
   * Windows that are in the cache and still to be read, the furthest first. Where much has changed
   * it ends sooner and goes on the next time.
   */
  *fromTheEnd(hasEntries: HasEntries): Generator<FurtherWindow> {
    const next = new Map<Plan, number>();
    for (const plan of this.#plans) next.set(plan, plan.held.lastBelow(plan.stepCount));
    for (let looks = 0; looks < LOOKS_MAX; looks++) {
      const found = furthestOf(next);
      if (found === undefined) return;
      const { plan, step } = found;
      const { key, window } = plan.at(step);
      const nearest = this.#nearest(key, window);
      if (!hasEntries(key, window)) plan.held.delete(step);
      else if (nearest?.plan === plan) yield { key, window, distance: plan.distanceOf(step) };
      else {
        plan.held.delete(step);
        const noted = this.#hold(key, window);
        if (noted) next.set(noted.plan, Math.max(noted.step, next.get(noted.plan) ?? -1));
      }
      next.set(plan, plan.held.lastBelow(step));
    }
  }

  /** Windows in the cache that a plan of more than `bytes` has read and none will read. */
  *spent(bytes: number, hasEntries: HasEntries): Generator<PlannedWindow> {
    let looks = 0;
    for (const plan of this.#plans) {
      if (plan.bytes <= bytes) continue;
      for (let step = plan.spent.firstFrom(0); step >= 0; step = plan.spent.firstFrom(step + 1)) {
        if (++looks > LOOKS_MAX) return;
        const { key, window } = plan.at(step);
        if (!hasEntries(key, window)) plan.spent.delete(step);
        else if (this.#nearest(key, window) === undefined) yield { key, window };
        else {
          // Of a plan that has begun since.
          plan.spent.delete(step);
          this.#hold(key, window);
        }
      }
    }
  }

  #end(plan: Plan): void {
    this.#plans.delete(plan);
    for (let step = plan.held.firstFrom(0); step >= 0; step = plan.held.firstFrom(step + 1)) {
      const { key, window } = plan.at(step);
      this.#hold(key, window);
    }
  }

  /**
   * Notes that there is something of the window, with the plan that comes to it next.
   * @returns where, if that is news
   */
  #hold(key: PlannedWindow['key'], window: number): PlanStep | undefined {
    const nearest = this.#nearest(key, window);
    if (nearest) return nearest.plan.held.add(nearest.step) ? nearest : undefined;
    for (const plan of this.#plans) {
      const step = plan.stepOf(key, window);
      if (step === undefined) continue;
      plan.spent.add(step);
      break;
    }
    return undefined;
  }

  #nearest(key: PlannedWindow['key'], window: number): PlanStep | undefined {
    let least = NEVER;
    let nearest: PlanStep | undefined;
    for (const plan of this.#plans) {
      const step = plan.stepOf(key, window);
      const distance = step === undefined ? NEVER : plan.distanceOf(step);
      if (step === undefined || distance >= least) continue;
      least = distance;
      nearest = { plan, step };
    }
    return nearest;
  }
}

/** The plan whose next step is the furthest. */
function furthestOf(next: ReadonlyMap<Plan, number>): PlanStep | undefined {
  let furthest: PlanStep | undefined;
  let most = -1;
  for (const [plan, step] of next) {
    const distance = step < 0 ? -1 : plan.distanceOf(step);
    if (distance <= most) continue;
    most = distance;
    furthest = { plan, step };
  }
  return furthest;
}
