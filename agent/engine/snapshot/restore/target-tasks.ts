// What the main thread asks of the thread that owns a restore's target. All changes of the target's
// name space happen in that one thread, with synchronous calls (measured: 28 us a small file there,
// 95 us with asynchronous calls from the main thread), and a file system that hangs does not stop
// the agent. Directories are known by numbers that the main thread chooses.

import type { SerializedError } from '#engine/base/errors.ts';
import type { AttributeDifference, Attributes } from './attributes.ts';

/** What to do about names that the target holds already. */
export type Overwrite = 'never' | 'always';

/** How one step on one entry went. */
export interface StepOutcome {
  readonly differences: readonly AttributeDifference[];
  /** The entry could not be made; the restore goes on with others. */
  readonly failure?: SerializedError;
}

export interface SmallFile {
  readonly directoryId: number;
  readonly name: string;
  /** Where its bytes lie in the batch. */
  readonly start: number;
  readonly length: number;
  readonly attributes: Attributes;
}

/** The tasks; an error that rejects one of them ends the restore. */
export interface TargetTasks {
  open: {
    input: { directoryId: number; path: string; overwrite: Overwrite; mustBeEmpty: boolean };
    output: null;
  };
  enter: { input: { directoryId: number; parentId: number; name: string }; output: StepOutcome };
  /** Without attributes the directory is only let go. `writeBack` waits for the device. */
  leave: {
    input: { directoryId: number; name: string; attributes?: Attributes; writeBack?: boolean };
    output: StepOutcome;
  };
  link: {
    input: { directoryId: number; name: string; target: Uint8Array; attributes: Attributes };
    output: StepOutcome;
  };
  small: { input: { bytes: Uint8Array; files: SmallFile[] }; output: StepOutcome[] };
  /** Makes a file of `bytes` zeros and leaves it open for writing. */
  create: {
    input: { directoryId: number; name: string; bytes: number };
    output: StepOutcome & { fd: number };
  };
  /** Bytes that are all zero are left as the hole that they are. */
  write: { input: { fd: number; name: string; offset: number; bytes: Uint8Array }; output: null };
  /** Closes what `create` gave; without attributes the file is left as it is. */
  finish: {
    input: { fd: number; name: string; bytes: number; attributes?: Attributes };
    output: StepOutcome;
  };
}
