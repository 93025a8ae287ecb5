import { runTogether } from './run-together.ts';

await runTogether('kube', 'kube-contract', 'kube-emulator');
