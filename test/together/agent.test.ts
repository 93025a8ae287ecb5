import { runTogether } from './run-together.ts';

await runTogether('agent', 'agent/commands', 'pre-copy', 'repositories');
