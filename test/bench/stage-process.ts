// One stage in a process of its own: `stage-process.ts NAME DIRECTORY quick|full`. Stages would
// otherwise find the heap, the compiled code and the peak memory of those before them.

import { STAGES } from './stage-table.ts';

const [name, directory = '', extent] = process.argv.slice(2);
const stage = STAGES.find(each => each.name === name);
if (stage === undefined) throw new Error(`there is no stage ${name}`);
const figures = await stage.run({ isQuick: extent === 'quick', directory });
console.log(JSON.stringify(figures));
