import { runTogether } from './run-together.ts';

await runTogether('engine/content', 'engine/object', 'engine/workers');
