// A list as a table that is read well by eye and by ear: a caption, heads with scopes, a row's
// name as its head, and how many rows are left out.

import { counted, formatCount } from '#engine/cli/quantity.ts';
import { html, type Html, type Part } from './html.ts';
import type { Shown } from './page-query.ts';

export interface Column<Item> {
  readonly title: string;
  readonly isRight?: boolean;
  /** Names the row. One of them is. */
  readonly isHead?: boolean;
  /** May be as wide as there is room. */
  readonly isWide?: boolean;
  readonly cell: (item: Item) => Part;
}

export interface TableParts<Item> {
  readonly id: string;
  readonly caption: string;
  readonly columns: readonly Column<Item>[];
  readonly shown: Shown<Item>;
  /** Where there is nothing at all. */
  readonly empty: string;
  readonly classOf?: (item: Item) => string;
}

/**
 * What is scrolled by keys has a name, as a group: the section is a region of that name already.
 */
export function section(
  { id, title, note }: { id: string; title: string; note?: Part },
  content: Html,
): Html {
  return html`<section aria-labelledby="${id}-title">
    <h2 id="${id}-title">${title}</h2>
    ${note}
    <div class="scroll" role="group" aria-labelledby="${id}-title" tabindex="0" id="${id}">
      <div data-fresh="${id}">${content}</div>
    </div>
  </section>`;
}

export function table<Item>(parts: TableParts<Item>): Html {
  const { caption, columns, shown, empty, classOf = () => '' } = parts;
  const { items, fitCount, allCount } = shown;
  if (items.length === 0) {
    const why = allCount === 0 ? empty : `None of ${counted(allCount, 'row')} fits the filter.`;
    return html`<p class="empty">${why}</p>`;
  }
  const heads = columns.map(
    column => html`<th scope="col" class="${classesOf(column)}">${column.title}</th>`,
  );
  const rows = items.map(
    item =>
      html`<tr class="${classOf(item)}">
        ${columns.map(column => cellOf(column, item))}
      </tr> `,
  );
  const rest = fitCount - items.length;
  const more = rest === 0 ? '' : html`<p class="more">And ${formatCount(rest)} more.</p>`;
  return html`<table>
      <caption>
        ${caption}
      </caption>
      <thead>
        <tr>
          ${heads}
        </tr>
      </thead>
      <tbody>
        ${rows}
      </tbody>
    </table>
    ${more}`;
}

/** Where the window is narrow each row is a card, and each cell says what it is. */
function cellOf<Item>(column: Column<Item>, item: Item): Html {
  const { isHead = false, title, cell } = column;
  const classes = classesOf(column);
  if (isHead) return html`<th scope="row" class="${classes}">${cell(item)}</th>`;
  if (classes === '') return html`<td data-t="${title}">${cell(item)}</td>`;
  return html`<td data-t="${title}" class="${classes}">${cell(item)}</td>`;
}

function classesOf({ isRight = false, isWide = false }: Column<never>): string {
  return [isRight && 'right', isWide && 'wide'].filter(Boolean).join(' ');
}
