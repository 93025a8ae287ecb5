// What a policy leaves of the attributes that a snapshot has. Rights that an entry lends to others
// (setuid, capabilities, devices) are only as good as whoever wrote the snapshot.

import { EngineError } from '#engine/base/errors.ts';
import type { ExtendedAttribute, SpecialEntry } from '#engine/format/entry-extras.ts';
import { printablePath } from '#engine/snapshot/source/source-name.ts';
import { ENTRY_TYPE } from '#engine/snapshot/source/source-stat.ts';

import { modeText, valueText } from './attribute-text.ts';
import {
  SET_ID_BITS,
  type AttributeDifference,
  type AttributePolicy,
  type WantedAttributes,
} from './wanted-attributes.ts';
import { SELINUX_LABEL, isEcho, isPrivileged } from './xattr-names.ts';

const LEFT_OUT = 'left out by policy';

export interface Permitted {
  readonly mode: number;
  readonly xattrs: readonly ExtendedAttribute[];
  /** What was wanted and is left out. */
  readonly stripped: readonly AttributeDifference[];
}

type Wish = Pick<WantedAttributes, 'mode' | 'extras'>;

/**
 * To be called before an entry is made, with its path or name for the message.
 * @throws TARGET_ENTRY_REFUSED when the policy refuses something that the entry is to have
 */
export function assertPermitted(
  entry: { readonly path: Uint8Array },
  type: number,
  { mode, extras }: Wish,
  policy: AttributePolicy,
): void {
  if (policy.setId === 'refuse' && hasSetId(type, mode)) {
    throw refusal(entry.path, `its mode is ${modeText(mode)}`);
  }
  if (policy.devices === 'refuse' && isDevice(type)) throw refusal(entry.path, 'it is a device');
  if (policy.privilegedXattrs !== 'refuse') return;
  const privileged = extras?.xattrs?.find(({ name }) => isPrivileged(name));
  if (privileged) throw refusal(entry.path, `it has the attribute ${privileged.name}`);
}

/**
 * What a policy means for directories: they are made before what is in them, which nobody refused.
 * So a directory is there, without what is refused, and the outcome says so.
 */
export function directoryPolicy(policy: AttributePolicy): AttributePolicy {
  if (policy.privilegedXattrs !== 'refuse') return policy;
  return { ...policy, privilegedXattrs: 'strip' };
}

/** The difference that leaving a device out by policy makes; undefined when it is to be made. */
export function strippedDevice(
  { type, major, minor }: Pick<SpecialEntry, 'type' | 'major' | 'minor'>,
  policy: AttributePolicy,
): AttributeDifference | undefined {
  const isKept = policy.devices !== 'strip' || (type !== 'c' && type !== 'b');
  if (isKept) return undefined;
  const kind = type === 'c' ? 'character' : 'block';
  return { attribute: 'entry', expected: `${kind} device ${major}:${minor}`, found: LEFT_OUT };
}

/** What remains of a wish after the policy. Labels that are not asked for are no difference. */
export function permit(type: number, { mode, extras }: Wish, policy: AttributePolicy): Permitted {
  const stripped: AttributeDifference[] = [];
  let permitted = mode;
  if (policy.setId !== 'keep' && hasSetId(type, mode)) {
    permitted = mode & ~SET_ID_BITS;
    const found = `${modeText(permitted)}, ${LEFT_OUT}`;
    stripped.push({ attribute: 'mode', expected: modeText(mode), found });
  }
  const xattrs = (extras?.xattrs ?? []).filter(({ name, value }) => {
    if (name === SELINUX_LABEL) return policy.selinux;
    if (isEcho(name)) return false;
    if (policy.privilegedXattrs === 'keep' || !isPrivileged(name)) return true;
    stripped.push({ attribute: `xattr:${name}`, expected: valueText(value), found: LEFT_OUT });
    return false;
  });
  return { mode: permitted, xattrs, stripped };
}

/** On directories setgid only says which group new files belong to. */
function hasSetId(type: number, mode: number): boolean {
  const isLending = type !== ENTRY_TYPE.directory && type !== ENTRY_TYPE.symlink;
  return isLending && (mode & SET_ID_BITS) !== 0;
}

function isDevice(type: number): boolean {
  return type === ENTRY_TYPE.characterDevice || type === ENTRY_TYPE.blockDevice;
}

function refusal(path: Uint8Array, reason: string): EngineError {
  const shown = printablePath(path);
  const text = `restoring ${shown} was refused: ${reason}; allow it, or restore without it`;
  return new EngineError('TARGET_ENTRY_REFUSED', text, { details: { path: shown } });
}
