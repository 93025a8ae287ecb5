// What a program can be told: a table with a row for each setting, from which flags, variables,
// keys of its file, help and documentation are made, so that none of them can be out of date.

import type { ParseText } from './config-values.ts';

export interface Setting<Value> {
  /** `--cache-dir <dir>` */
  readonly flags: string;
  /** Of the environment; the first that is set and not empty counts. */
  readonly variables: readonly string[];
  readonly text: string;
  /** As it would be written; undefined where nothing is the default. */
  readonly initial: string | undefined;
  /** What to do when it is missing, for those that have to be there. */
  readonly missing?: string;
  /** Its text is YAML, so in the file it may be written as a list or a mapping. */
  readonly isStructured?: boolean;
  readonly parse: ParseText<Value>;
}

export type SettingsTable = Readonly<Record<string, Setting<unknown>>>;

export type SettingValues<Table extends SettingsTable> = {
  readonly [Name in keyof Table]: Table[Name] extends Setting<infer Value> ? Value : never;
};

type Row<Value> = Omit<Setting<Value>, 'initial' | 'missing'>;

export function optional<Value>(row: Row<Value>): Setting<Value | undefined> {
  return { ...row, initial: undefined };
}

export function preset<Value>(initial: string, row: Row<Value>): Setting<Value> {
  return { ...row, initial };
}

export function needed<Value>(missing: string, row: Row<Value>): Setting<Value> {
  return { ...row, initial: undefined, missing };
}

/** `--cache-dir` of `--cache-dir <dir>` */
export function longFlag(flags: string): string {
  return /--[a-z_-]+/.exec(flags)?.[0] ?? flags;
}
