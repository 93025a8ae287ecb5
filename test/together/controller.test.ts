import { runTogether } from './run-together.ts';

await runTogether(
  'agent/coordinator',
  'controller',
  'controller/annotator',
  'controller/bandwidth',
  'controller/commands',
  'controller/leadership',
  'controller/overview',
  'controller/sessions',
  'controller/slots',
  'proto',
  'simulation',
);
