import { runTogether } from './run-together.ts';

await runTogether('engine/storage', 'engine/storage/http');
