// The end of a link, pipe, socket or device. It is opened first, for its attributes alone: what is
// done goes to what was opened, so that a file which somebody puts in its place meanwhile does not
// get its owner or its mode.

import type { SpecialEntry } from '#engine/format/entry-extras.ts';
import { equalBytes } from '#engine/base/bytes.ts';
import { ENTRY_TYPE } from '#engine/snapshot/source/source-stat.ts';

import { valueText } from './attribute-text.ts';
import { settle, type SettleOptions } from './settle-open.ts';
import type { TargetFileSystem } from './target-file-system.ts';
import type { TargetDirectory } from './target-handle.ts';
import type { AttributeDifference, WantedAttributes } from './wanted-attributes.ts';

const TYPES = Object.freeze({
  l: ENTRY_TYPE.symlink,
  p: ENTRY_TYPE.fifo,
  k: ENTRY_TYPE.socket,
  c: ENTRY_TYPE.characterDevice,
  b: ENTRY_TYPE.blockDevice,
});

/** What stands there: a link with its target, or what makeSpecial made. */
export type Node =
  | { readonly type: 'l'; readonly linkTarget: Uint8Array }
  | Pick<SpecialEntry, 'type' | 'major' | 'minor'>;

/**
 * Gives what makeSymlink or makeSpecial has made its attributes, and compares.
 * @throws TARGET_ENTRY_REFUSED, TARGET_ENTRY_FAILED when it is gone, and what ends a restore
 */
export function settleAt(
  fileSystem: TargetFileSystem,
  directory: TargetDirectory,
  name: Uint8Array,
  wanted: WantedAttributes,
  { node, policy }: SettleOptions & { readonly node: Node },
): readonly AttributeDifference[] {
  using handle = fileSystem.openNode(directory, name);
  const isDevice = node.type === 'c' || node.type === 'b';
  const device = isDevice ? { major: node.major, minor: node.minor } : undefined;
  const settlement = { type: TYPES[node.type], wanted, policy, device };
  const differences = settle(fileSystem, handle, settlement);
  if (node.type !== 'l') return differences;
  const found = fileSystem.readLink(directory, name);
  if (found && equalBytes(found, node.linkTarget)) return differences;
  const expected = valueText(node.linkTarget);
  return [
    { attribute: 'linkTarget', expected, found: found ? valueText(found) : 'none' },
    ...differences,
  ];
}
