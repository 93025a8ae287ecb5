// What somebody may have meant who wrote a name that there is not.

const DISTANCE_MAX = 3;
/** Longer ones are no typing errors, and would take time. */
const LENGTH_MAX = 80;

/** The name that is the fewest typing errors away; undefined where none is near. */
export function nearestName(written: string, names: readonly string[]): string | undefined {
  if (written.length > LENGTH_MAX) return undefined;
  const [best] = names
    .map(name => ({ name, distance: editDistance(written, name) }))
    .sort((one, other) => one.distance - other.distance);
  return best !== undefined && best.distance <= DISTANCE_MAX ? best.name : undefined;
}

/** Levenshtein's, row by row. */
function editDistance(one: string, other: string): number {
  let row = Array.from({ length: other.length + 1 }, (_, index) => index);
  for (const [line, letter] of [...one].entries()) {
    const next = [line + 1];
    for (const [column, facing] of [...other].entries()) {
      const replaced = (row[column] ?? 0) + (letter === facing ? 0 : 1);
      next.push(Math.min(replaced, (row[column + 1] ?? 0) + 1, (next[column] ?? 0) + 1));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}
