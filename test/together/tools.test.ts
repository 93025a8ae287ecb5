import { runTogether } from './run-together.ts';

await runTogether('bench', 'charts', 'demo', 'docs', 'release', 'support', 'tidy');
