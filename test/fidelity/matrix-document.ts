// docs/fidelity.md, from the matrix.

import { UNSTORED } from './attribute-table.ts';
import type { Cell, Matrix, MeasuredFileSystem, MeasuredRow } from './cell.ts';

const WORDS: Readonly<Record<Cell, string>> = {
  kept: 'kept',
  named: 'named',
  lost: '**lost**',
  none: '–',
};

const HEAD = `# What comes back

<!-- Written by \`npm run test:fidelity -- --write\`; by itself that says when it is old. -->

Each line is something that a file system can hold. It is made on a fresh file system, backed up,
restored beside itself, and looked at again, by nothing but the tools of the system (\`stat\`,
\`getfattr\`, \`lsattr\`, \`xfs_io\`, …).

- **kept**: it came back as it was.
- **named**: it did not, and the program said so, by its path.
- **lost**: it did not, and nobody was told. There is no such cell of ours; a test sees to that.
- **–**: the file system does not have it.
`;

/** What the document says it was measured with: others may come to other cells. */
export function versionsLine({ kernel, programs }: Matrix): string {
  const others = programs.filter(({ name }) => name !== 'stevedore');
  const versions = others.map(({ name, version }) => `${name} ${version}`);
  return `Measured as root on Linux ${kernel} with ${versions.join(' and ')}.`;
}

export function matrixDocument(matrix: Matrix): string {
  const [first] = matrix.fileSystems;
  if (first === undefined) throw new Error('no file system was measured');
  const groups = [...new Set(first.rows.map(({ group }) => group))];
  return [
    HEAD,
    `${versionsLine(matrix)} Everybody was told to keep all there is:\n`,
    ...matrix.programs.map(({ name, told }) => `- ${name}: ${told.map(quoted).join(', ')}`),
    '',
    ...groups.flatMap(group => [`## ${group}\n`, groupTable(matrix, group), '']),
    notStored(),
  ].join('\n');
}

function quoted(text: string): string {
  return `\`${text}\``;
}

function groupTable({ programs, fileSystems }: Matrix, group: string): string {
  const columns = programs.flatMap(program =>
    fileSystems.map(fileSystem => ({ program: program.name, fileSystem })),
  );
  const titles = columns.map(({ program, fileSystem }, index) => {
    const isFirst = index % fileSystems.length === 0;
    return isFirst ? `${program}: ${fileSystem.name}` : fileSystem.name;
  });
  const titlesOfRows = fileSystems[0]?.rows.filter(row => row.group === group) ?? [];
  const lines = titlesOfRows.map(({ title }) => {
    const cells = columns.map(({ program, fileSystem }) =>
      wordOf(rowOf(fileSystem, group, title), program),
    );
    return `| ${[title, ...cells].join(' | ')} |`;
  });
  return [`| | ${titles.join(' | ')} |`, `|---|${'---|'.repeat(columns.length)}`, ...lines].join(
    '\n',
  );
}

function rowOf({ rows }: MeasuredFileSystem, group: string, title: string): MeasuredRow {
  const row = rows.find(each => each.group === group && each.title === title);
  if (row === undefined) throw new Error(`"${title}" was not measured everywhere`);
  return row;
}

function wordOf({ cells }: MeasuredRow, program: string): string {
  const cell = cells[program];
  if (cell === undefined) throw new Error(`${program} was not measured everywhere`);
  return WORDS[cell.cell];
}

function notStored(): string {
  const lines = UNSTORED.map(({ title, statement }) => `- The ${title} ${statement}`);
  return ['## What ours does not store', '', ...lines, ''].join('\n');
}
