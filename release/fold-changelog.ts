// The files of changelog/unreleased/ as one page for a version: by kind, in the order of issues.

/** In the order in which people look for them. */
const KINDS = Object.freeze(['Security', 'Added', 'Changed', 'Fixed', 'Removed']);

export interface ChangelogEntry {
  /** `<issue>-<slug>.md`. */
  readonly name: string;
  readonly text: string;
}

interface Change {
  readonly issue: number;
  readonly name: string;
  readonly kind: string;
  readonly title: string;
  readonly body: string;
}

/** @throws Error naming the entry that cannot be read */
export function foldChangelog(
  entries: readonly ChangelogEntry[],
  release: { readonly version: string; readonly date: string },
): string {
  const changes = entries.map(readChange);
  const parts = KINDS.flatMap(kind => {
    const ofKind = changes.filter(change => change.kind === kind).sort(byIssue);
    return ofKind.length === 0 ? [] : [`## ${kind}`, ...ofKind.map(sectionOf)];
  });
  return [`# ${release.version}, ${release.date}`, ...parts].join('\n\n') + '\n';
}

function readChange({ name, text }: ChangelogEntry): Change {
  const [, issue] = /^(\d+)-[a-z0-9-]+\.md$/.exec(name) ?? [];
  const [, kind = '', title = ''] = /^([A-Z]\w+): (.+)\n/.exec(text) ?? [];
  if (issue === undefined) throw new Error(`${name} is not named <issue>-<slug>.md`);
  if (!KINDS.includes(kind)) {
    throw new Error(`${name} does not begin with its kind (${KINDS.join(', ')}) and what it is`);
  }
  const body = text.slice(text.indexOf('\n')).trim();
  return { issue: Number(issue), name, kind, title, body };
}

function sectionOf({ title, issue, body }: Change): string {
  return `### ${title} (issue ${issue})\n\n${oneFolderUp(body)}`.trimEnd();
}

/** Links of changelog/unreleased/, for a page of changelog/. */
function oneFolderUp(text: string): string {
  return text.replace(/\]\(\.\.\/(?=[^)]*\))/g, '](');
}

function byIssue(a: Change, b: Change): number {
  return a.issue - b.issue || (a.name < b.name ? -1 : 1);
}
