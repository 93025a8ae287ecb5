import { runTogether } from './run-together.ts';

await runTogether('volumes', 'volume-mover');
