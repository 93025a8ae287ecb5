// `npm run check:tidy`: every rule of tidy-rules.ts over the tree.

import { readSourceFiles } from './source-files.ts';
import { tidyFaults } from './tidy-rules.ts';

const files = readSourceFiles();
const faults = tidyFaults(files);
for (const fault of faults) process.stderr.write(`${fault}\n`);
console.log(`tidy: ${files.length} files, ${faults.length} faults`);
process.exitCode = faults.length === 0 ? 0 : 1;
