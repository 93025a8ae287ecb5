// `npm run demo [-- [--engine | --agent] [DIR]]`: the main job, in two acts. The engine backs up a
// directory, changes it and brings both states back; then the node agent does it beneath Velero's
// custom resources, against an API server within this process. Every byte and attribute is
// compared. DIR is only read: what is changed is a copy, and everything lies in one temporary
// directory that is removed at the end.

import { rmSync, statSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { counted, formatDuration } from '#engine/cli/quantity.ts';
import { agentStory } from './demo/agent-story.ts';
import { engineStory } from './demo/engine-story.ts';

const ACTS = [
  { flag: '--engine', story: engineStory },
  { flag: '--agent', story: agentStory },
];

function usage(problem: string): never {
  process.stderr.write(`${problem}; npm run demo [-- [--engine | --agent] [DIR]]\n`);
  process.exit(2);
}

const words = process.argv.slice(2);
const flags = words.filter(word => word.startsWith('--'));
const [given, ...more] = words.filter(word => !word.startsWith('--'));
const stranger = flags.find(flag => !ACTS.some(act => act.flag === flag)) ?? more[0];
if (stranger !== undefined) usage(`'${stranger}' is not understood`);
if (given !== undefined && !statSync(given, { throwIfNoEntry: false })?.isDirectory()) {
  usage(`${resolve(given)} is not a directory; name one, or none`);
}
const acts = ACTS.filter(({ flag }) => flags.length === 0 || flags.includes(flag));

const place = await mkdtemp(join(tmpdir(), 'stevedore-demo-'));
const started = performance.now();
const onSignal = () => {
  rmSync(place, { recursive: true, force: true });
  process.exit(130);
};
process.once('SIGINT', onSignal);
process.once('SIGTERM', onSignal);
try {
  let differenceCount = 0;
  for (const { flag, story } of acts) {
    differenceCount += await story(join(place, flag.slice(2)), given);
  }
  const took = formatDuration(performance.now() - started);
  console.log(
    differenceCount === 0
      ? `\nDone in ${took}: everything came back as it was.\n`
      : `\nFailed: ${counted(differenceCount, 'difference')}.\n`,
  );
  process.exitCode = differenceCount === 0 ? 0 : 1;
} finally {
  rmSync(place, { recursive: true, force: true });
}
