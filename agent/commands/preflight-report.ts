// Findings as a table for people: a verdict a line, what to do below it, wrapped to the terminal.

import { columnsOf, safeText } from '#engine/cli/terminal-text.ts';
import type { Finding, Verdict } from './finding.ts';

export type Counts = Readonly<Record<Verdict, number>>;

const COLUMNS_MIN = 60;

export function countsOf(findings: readonly Finding[]): Counts {
  const count = (verdict: Verdict) => findings.filter(each => each.verdict === verdict).length;
  return { ok: count('ok'), warn: count('warn'), fail: count('fail') };
}

export function findingsText(findings: readonly Finding[], columns: number): string {
  const width = Math.max(COLUMNS_MIN, columns);
  const checkWidth = findings.reduce((most, { check }) => Math.max(most, columnsOf(check)), 0);
  // A long name shall not leave the rest no room.
  const nameWidth = Math.min(checkWidth, Math.floor(width / 3));
  const indent = ' '.repeat(6 + nameWidth + 2);
  const lines = findings.flatMap(({ check, verdict, text, advice }, index) => {
    // The same advice for the next line is given there.
    const next = findings[index + 1];
    const isRepeated = next?.check === check && next.advice === advice;
    const name = safeText(check);
    const isLong = columnsOf(name) > nameWidth;
    const blank = ' '.repeat(Math.max(0, nameWidth - columnsOf(name)));
    const lead = `${verdict.padEnd(4)}  ${name}${blank}`;
    const room = width - indent.length;
    const told = [
      ...wrapped(safeText(text), room),
      ...(advice === undefined || isRepeated ? [] : wrapped(`-> ${safeText(advice)}`, room)),
    ];
    if (isLong) return [lead, ...told.map(line => indent + line)];
    return told.map((line, place) => (place === 0 ? `${lead}  ${line}` : indent + line));
  });
  const { ok, warn, fail } = countsOf(findings);
  const end =
    fail > 0
      ? 'Not ready: mend what fails first.'
      : warn > 0
        ? 'Ready; read the warnings first.'
        : 'Ready.';
  return `${lines.join('\n')}\n\n${ok} ok, ${warn} warn, ${fail} fail. ${end}\n`;
}

/** Words in lines of at most `columns`; a word that is longer has a line to itself. */
export function wrapped(text: string, columns: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last === undefined || columnsOf(last) + 1 + columnsOf(word) > columns) lines.push(word);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  return lines;
}
