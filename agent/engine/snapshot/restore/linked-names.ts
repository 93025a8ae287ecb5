// Files of several names. The name that is planned first leads: it gets the content, and the others
// become links to it, unless the target keeps something else under that name. Then the next name
// leads, so that no name is a link to bytes that are not the snapshot's.

import { ENTRY_ACTION, ENTRY_FLAG, type SectionTable } from './plan-tables.ts';

/** The name that others become links to. */
export interface LeadingName {
  directory: number;
  name: Uint8Array;
  /** In the table of the section that planned it. */
  row: number;
  /** Whether it is, or will be, the file of the snapshot. Known once its section was examined. */
  isOurs: boolean;
}

export interface PlannedLink {
  readonly lead: LeadingName;
  readonly directory: number;
  readonly name: Uint8Array;
  readonly row: number;
}

/**
 * Decides for a section that was compared with the target which names lead.
 * @returns the leading names of this section
 */
export function chooseLeads(
  { entries: { action, flags } }: SectionTable,
  {
    leads,
    links,
  }: { readonly leads: readonly LeadingName[]; readonly links: readonly PlannedLink[] },
): ReadonlySet<LeadingName> {
  const chosen = new Set(leads);
  for (const lead of leads) {
    const { row } = lead;
    const isKept = action[row] === ENTRY_ACTION.keep;
    lead.isOurs = isKept
      ? (flags[row] & ENTRY_FLAG.same) !== 0
      : action[row] !== ENTRY_ACTION.failed;
  }
  for (const { lead, directory, name, row } of links) {
    if (lead.isOurs || action[row] !== ENTRY_ACTION.link) continue;
    action[row] = ENTRY_ACTION.make;
    chosen.add(Object.assign(lead, { directory, name, row, isOurs: true }));
  }
  return chosen;
}

/** When a section has been written: what could not be made whole leads no other name. */
export function dropLostLeads(
  { entries: { action, flags } }: SectionTable,
  leads: Iterable<LeadingName>,
): void {
  for (const lead of leads) {
    const isLost = action[lead.row] === ENTRY_ACTION.failed;
    if (isLost || (flags[lead.row] & ENTRY_FLAG.damaged) !== 0) lead.isOurs = false;
  }
}
