import { runTogether } from './run-together.ts';

await runTogether('engine/format', 'engine/index', 'engine/manifest');
