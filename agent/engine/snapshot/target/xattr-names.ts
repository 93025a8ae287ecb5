// What the names of extended attributes mean for a restore (xattr(7)).

export const SELINUX_LABEL = 'security.selinux';
export const ACCESS_ACL = 'system.posix_acl_access';
export const DEFAULT_ACL = 'system.posix_acl_default';
const CAPABILITY = 'security.capability';

/** Lends rights, or is for privileged programs alone. ACLs say who may read, as the mode does. */
export function isPrivileged(name: string): boolean {
  if (name === SELINUX_LABEL || isEcho(name)) return false;
  return name.startsWith('security.') || name.startsWith('trusted.');
}

// File systems that make ACLs of their own from mode and owner, and list them on every file.
const VIEWS = /^system\.(nfs4_|cifs_|smb3_|ntfs_|richacl)/;

/** Whether an attribute that the snapshot does not have is the target's own affair. */
export function isOwnAffair(name: string, restoresLabels: boolean): boolean {
  return (name === SELINUX_LABEL && !restoresLabels) || VIEWS.test(name) || isEcho(name);
}

/** The form in which XFS stores ACLs, and shows them beside the usual one to who may see it. */
const XFS_ACLS = new Set(['trusted.SGI_ACL_FILE', 'trusted.SGI_ACL_DEFAULT']);

/** Whether an attribute says again what others say; neither restored nor compared. */
export function isEcho(name: string): boolean {
  return XFS_ACLS.has(name);
}

/** Before the mode, with it, or after everything that would take it away again. */
export function turnOf(name: string): 'first' | 'acl' | 'last' {
  if (name === CAPABILITY) return 'last';
  return name.startsWith('system.posix_acl_') ? 'acl' : 'first';
}

/** Header and three entries (linux/posix_acl_xattr.h): owner, group, others, just as the mode. */
const MINIMAL_ACL_BYTES = 4 + 3 * 8;

/** Whether an ACL says what the mode says; file systems do not keep such ones. */
export function isMinimalAcl(name: string, value: Uint8Array): boolean {
  return name === ACCESS_ACL && value.length === MINIMAL_ACL_BYTES;
}

/** The names in a list of which each ends with a NUL, a character for each byte. */
export function splitNames(list: Uint8Array): string[] {
  const text = Buffer.from(list.buffer, list.byteOffset, list.byteLength).toString('latin1');
  return text.split('\0').slice(0, -1);
}
