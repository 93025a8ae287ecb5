// What a page is asked to show: how many rows of each list, and which.

export interface PageQuery {
  /** In lower case; empty for all. */
  readonly filter: string;
  /** As it was typed. */
  readonly typed: string;
  readonly rows: number;
}

/** Of each list. With usual names that is a page of 220 KB. */
const ROWS_MAX = 100;
export const ROW_CHOICES: readonly number[] = Object.freeze([20, 50, ROWS_MAX]);
const ROWS_DEFAULT = 50;
const FILTER_CHARACTERS_MAX = 100;

/** What cannot be understood is as if it were not there: an address is typed by people. */
export function parseQuery(query: string): PageQuery {
  const given = new URLSearchParams(query);
  const typed = (given.get('filter') ?? '').trim().slice(0, FILTER_CHARACTERS_MAX);
  const rows = Number(given.get('rows'));
  return {
    ...{ typed, filter: typed.toLowerCase() },
    rows: ROW_CHOICES.includes(rows) ? rows : ROWS_DEFAULT,
  };
}

export interface Shown<Item> {
  readonly items: readonly Item[];
  /** That fit the filter. */
  readonly fitCount: number;
  readonly allCount: number;
}

/** The first of `items` that fit; `wordsOf` are what a filter looks at. */
export function shownOf<Item>(
  items: readonly Item[],
  { filter, rows }: PageQuery,
  wordsOf: (item: Item) => readonly string[],
): Shown<Item> {
  const fits = (item: Item) => wordsOf(item).some(word => word.toLowerCase().includes(filter));
  const fitting = filter === '' ? items : items.filter(fits);
  return {
    items: fitting.slice(0, rows),
    ...{ fitCount: fitting.length, allCount: items.length },
  };
}
