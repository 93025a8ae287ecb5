// HTML made of templates in which every value is text unless it was made here: names come from
// whoever has pods in the cluster, messages from storage servers and volumes.

import { safeText } from '#engine/cli/terminal-text.ts';

/** Markup. Only templates make it, so whoever has one has escaped what is in it. */
export class Html {
  readonly markup: string;

  constructor(markup: string) {
    this.markup = markup;
  }
}

export type Part = Html | string | number | undefined | readonly Part[];

const ENTITIES: Readonly<Record<string, string>> = Object.freeze({
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
});

/** For elements and for values of attributes in double quotes; not for scripts and styles. */
export function html(texts: TemplateStringsArray, ...parts: readonly Part[]): Html {
  return new Html(String.raw({ raw: texts }, ...parts.map(markupOf)));
}

/** Names that nobody has are not shown in full: a page has a size, too. */
const NAME_CHARACTERS_MAX = 120;

export function name(text: string): string {
  return text.length <= NAME_CHARACTERS_MAX ? text : `${text.slice(0, NAME_CHARACTERS_MAX - 1)}…`;
}

function markupOf(part: Part): string {
  if (part === undefined) return '';
  if (part instanceof Html) return part.markup;
  if (typeof part === 'object') return part.map(markupOf).join('');
  // Controls and marks that turn a line around are no markup, and rewrite what people read.
  return safeText(String(part)).replace(/[&<>"']/g, character => ENTITIES[character] ?? '');
}
