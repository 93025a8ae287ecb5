// Paths of planned rows, for people as text and for filters as bytes; made when asked for, since
// most are never seen.

import { asBuffer } from '#engine/base/bytes.ts';
import { nameText } from '#engine/snapshot/source/source-name.ts';
import { type DirectoryTable, NO_ROW, type SectionTable } from './plan-tables.ts';

const SLASH = new Uint8Array(Buffer.from('/'));

export class PlanPaths {
  readonly #directories: DirectoryTable;
  readonly #targets: readonly string[];

  /** @param targets the directories by their numbers in the table, absolute */
  constructor(directories: DirectoryTable, targets: readonly string[]) {
    this.#directories = directories;
    this.#targets = targets;
  }

  /**
   * Beneath the target, '' is the target itself; absolute where there are several targets.
   * @param below names in the directory, whose path it is then
   */
  ofDirectory(row: number, ...below: readonly string[]): string {
    const names = [...this.namesOf(row).map(textOf), ...below];
    if (this.#targets.length <= 1) return names.join('/');
    const target = this.#targets[this.#directories.columns.target[row]];
    return [target === '/' ? '' : target, ...names].join('/') || target;
  }

  ofEntry(section: SectionTable, row: number): string {
    const { directory, nameStart, nameBytes } = section.entries;
    const start = nameStart[row];
    return this.join(directory[row], section.texts.bytes.subarray(start, start + nameBytes[row]));
  }

  join(directory: number, name: Uint8Array): string {
    return this.ofDirectory(directory, textOf(name));
  }

  /** Its bytes, as filters take it; with the name of an entry in it, the path of that. */
  bytesOf(directory: number, ...entryName: readonly Uint8Array[]): Uint8Array {
    const path: Uint8Array[] = [];
    for (const name of [...this.namesOf(directory), ...entryName]) path.push(SLASH, name);
    return Buffer.concat(path).subarray(SLASH.length);
  }

  /** The names that lead from the target to a directory. */
  namesOf(row: number): Uint8Array[] {
    const { parent, nameStart, nameBytes } = this.#directories.columns;
    const { bytes } = this.#directories.texts;
    const names: Uint8Array[] = [];
    for (let at = row; parent[at] !== NO_ROW; at = parent[at]) {
      names.push(bytes.subarray(nameStart[at], nameStart[at] + nameBytes[at]));
    }
    return names.reverse();
  }
}

/** The text that the snapshot has for a name. Copied first: what is shared cannot be checked. */
function textOf(name: Uint8Array): string {
  return nameText(Buffer.from(asBuffer(name)));
}
