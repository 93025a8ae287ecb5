// One order out of many: runs of numbers, each ascending, are gone through as if they were one. A
// heap of the runs by what each has next, so that nothing is sorted as a whole, which would keep
// the thread for as long as there are entries.

export interface SequenceRun {
  /** Ascending. */
  readonly sequences: Float64Array;
  /** The next of them. */
  at: number;
}

/** Gives, for each number from the least up, the run that has it at `at`. */
export function* inSequence<Run extends SequenceRun>(runs: readonly Run[]): Generator<Run> {
  const heap = runs.filter(({ sequences, at }) => at < sequences.length);
  for (let at = (heap.length >>> 1) - 1; at >= 0; at--) sink(heap, at);
  while (heap.length > 0) {
    const first = heap[0];
    yield first;
    first.at++;
    if (first.at === first.sequences.length) {
      const last = heap.pop();
      if (last !== undefined && heap.length > 0) heap[0] = last;
    }
    sink(heap, 0);
  }
}

function sink(heap: SequenceRun[], from: number): void {
  for (let at = from; ;) {
    const left = 2 * at + 1;
    let least = at;
    if (left < heap.length && nextOf(heap[left]) < nextOf(heap[least])) least = left;
    if (left + 1 < heap.length && nextOf(heap[left + 1]) < nextOf(heap[least])) least = left + 1;
    if (least === at) return;
    [heap[at], heap[least]] = [heap[least], heap[at]];
    at = least;
  }
}

function nextOf({ sequences, at }: SequenceRun): number {
  return sequences[at];
}
