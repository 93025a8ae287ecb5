// `npm run check:ranks`: every import of the tree against rank-table.ts.

import { importsOf } from './import-list.ts';
import { faultOfImport } from './rank-table.ts';
import { readSourceFiles, type SourceFile } from './source-files.ts';

/** One line for each import that breaks the table. */
export function rankFaults(files: readonly SourceFile[]): string[] {
  return files.flatMap(({ path, text }) =>
    importsOf(text).flatMap(({ specifier, line }) => {
      const fault = faultOfImport(path, specifier);
      return fault === undefined ? [] : [`${path}:${line}: import of '${specifier}': ${fault}`];
    }),
  );
}

if (import.meta.main) {
  const files = readSourceFiles();
  const faults = rankFaults(files);
  for (const fault of faults) process.stderr.write(`${fault}\n`);
  console.log(`ranks: ${files.length} files, ${faults.length} faults`);
  process.exitCode = faults.length === 0 ? 0 : 1;
}
