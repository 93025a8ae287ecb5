import { runTogether } from './run-together.ts';

await runTogether('engine/snapshot/upload', 'engine/snapshot/source');
