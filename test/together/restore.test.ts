import { runTogether } from './run-together.ts';

await runTogether('engine/snapshot/restore', 'engine/snapshot/target');
