// What every stage of the benchmark is given and gives back. A stage is one file in this folder
// with one exported function; stage-table.ts of the folder above lists them.

export interface BenchFigure {
  readonly name: string;
  readonly value: number;
  /** `MiB/s`, `us`, `/s`, …; '' for a bare number. */
  readonly unit: string;
}

export interface StageOptions {
  /** Fewer repetitions and smaller inputs: shows that it works, and roughly how fast. */
  readonly isQuick: boolean;
  /** An empty directory for files of the stage; the caller removes it. */
  readonly directory: string;
}

export const MIB = 2 ** 20;

/** `64 B`, `4 KiB`, `4 MiB`. */
export function sizeName(bytes: number): string {
  if (bytes >= MIB) return `${bytes / MIB} MiB`;
  return bytes >= 1024 ? `${bytes / 1024} KiB` : `${bytes} B`;
}
