// The matrix as a value: what measure.ts prints, matrix-document.ts writes down and
// fidelity.test.ts judges.

/** `none`: the file system does not have it. */
export type Cell = 'kept' | 'named' | 'lost' | 'none';

export interface MeasuredCell {
  readonly cell: Cell;
  /** What was found in place of what, where it was not kept. */
  readonly detail: string;
}

export interface MeasuredRow {
  readonly group: string;
  readonly title: string;
  /** By the name of the program. */
  readonly cells: Readonly<Record<string, MeasuredCell>>;
}

export interface MeasuredFileSystem {
  readonly name: string;
  /** Why it was not measured. */
  readonly reason?: string;
  readonly rows: readonly MeasuredRow[];
  readonly unstored: readonly MeasuredRow[];
  /** Rows that a tool is missing for, with what it said. */
  readonly skipped: readonly string[];
}

export interface MeasuredProgram {
  readonly name: string;
  readonly version: string;
  readonly told: readonly string[];
}

export interface Matrix {
  /** Major and minor version of the kernel. */
  readonly kernel: string;
  readonly programs: readonly MeasuredProgram[];
  readonly fileSystems: readonly MeasuredFileSystem[];
}
