import { runTogether } from './run-together.ts';

await runTogether(
  'agent/coordinator',
  'controller',
  'controller/annotator',
  'controller/bandwidth',
  'controller/leadership',
  'controller/sessions',
  'controller/slots',
  'proto',
  'simulation',
);
