import { runTogether } from './run-together.ts';

await runTogether(
  'agent/coordinator',
  'controller',
  'controller/annotator',
  'controller/bandwidth',
  'controller/commands',
  'controller/leadership',
  'controller/nothing-stuck',
  'controller/overview',
  'controller/pre-copy',
  'controller/sessions',
  'controller/slots',
  'controller/status-page',
  'proto',
  'simulation',
);
