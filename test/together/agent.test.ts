import { runTogether } from './run-together.ts';

await runTogether('agent', 'pre-copy', 'repositories');
