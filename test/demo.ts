// `npm run demo`: the main job, in three acts. The engine backs up a directory, changes it and
// brings both states back; then the node agent does it beneath Velero's custom resources; every
// byte and attribute is compared. In the end a controller says whose turn it is. All files lie in
// one temporary directory, which goes in the end.

import { rmSync, statSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { isEngineError, messageOf } from '#engine/base/errors.ts';
import { counted, formatDuration } from '#engine/cli/quantity.ts';
import { agentStory } from './demo/agent-story.ts';
import { controllerStory } from './demo/controller-story.ts';
import { engineStory } from './demo/engine-story.ts';

const HELP = `npm run demo [-- [--engine | --agent | --controller] [--kubeconfig FILE] [DIR]]

  DIR                 back up this directory instead of one that is made up; it is only read
  --engine            the first act alone: the engine with a directory
  --agent             the second act alone: the node agent with the volume of a pod
  --controller        the third act alone: five volumes, the agents of two nodes and a controller
  --kubeconfig FILE   the second act alone, in the cluster of that file instead of an API server
                      within the demo

The cluster needs Velero's resources (velero install --crds-only) and neither node nor Velero
server: the demo plays both. It makes two namespaces, stevedore-demo-…-velero and
stevedore-demo-…-shop, with objects of Velero, a Secret, a ServiceAccount, and pods of which no
container starts, and removes them in the end, when it fails as well. It writes to no other
namespace. DIR should be read in less than half a minute: after that a cluster removes pods whose
node it does not know.
`;

const OPTIONS = {
  engine: { type: 'boolean', default: false },
  agent: { type: 'boolean', default: false },
  controller: { type: 'boolean', default: false },
  kubeconfig: { type: 'string' },
  help: { type: 'boolean', default: false },
} as const;

function readWords() {
  try {
    const { values, positionals } = parseArgs({ options: OPTIONS, allowPositionals: true });
    const [given, stranger] = positionals;
    if (stranger !== undefined) refuse(`'${stranger}' is not understood`);
    if (given !== undefined && !statSync(given, { throwIfNoEntry: false })?.isDirectory()) {
      refuse(`${resolve(given)} is not a directory; name one, or none`);
    }
    return { ...values, given };
  } catch (error) {
    return refuse(messageOf(error));
  }
}

function refuse(problem: string): never {
  process.stderr.write(`${problem}; see npm run demo -- --help\n`);
  process.exit(2);
}

const { engine, agent, controller, kubeconfig, help, given } = readWords();
if (help) {
  process.stdout.write(HELP);
  process.exit(0);
}
const isAll = !engine && !agent && !controller;
const isBackupAlone = controller && !engine && !agent;
const CAME_BACK = 'came back as it was';
const acts = [
  { name: 'engine', story: engineStory, isPlayed: engine || (isAll && kubeconfig === undefined) },
  { name: 'agent', story: agentStory, isPlayed: agent || isAll },
  {
    name: 'controller',
    story: controllerStory,
    isPlayed: controller || (isAll && kubeconfig === undefined),
  },
];

const started = performance.now();
const stack = new AsyncDisposableStack();
const place = await mkdtemp(join(tmpdir(), 'stevedore-demo-'));
stack.defer(() => rmSync(place, { recursive: true, force: true }));
let end: Promise<void> | undefined;
/** Whatever happens, and once. */
const putAway = () =>
  (end ??= stack.disposeAsync().catch((error: unknown) => {
    process.stderr.write(`${messageOf(error)}\n`);
    process.exitCode = 1;
  }));
const onSignal = () => void putAway().then(() => process.exit(130));
process.once('SIGINT', onSignal);
process.once('SIGTERM', onSignal);
try {
  let differenceCount = 0;
  for (const { name, story, isPlayed } of acts) {
    if (!isPlayed) continue;
    differenceCount += await story(join(place, name), { given, kubeconfig, stack });
  }
  const took = formatDuration(performance.now() - started);
  const [good, bad] = isBackupAlone ? ['was backed up', 'failure'] : [CAME_BACK, 'difference'];
  console.log(
    differenceCount === 0
      ? `\nDone in ${took}: everything ${good}.\n`
      : `\nFailed: ${counted(differenceCount, bad)}.\n`,
  );
  process.exitCode = differenceCount === 0 ? 0 : 1;
} catch (error) {
  // Told to end, it finds its cluster gone.
  if (end === undefined) {
    console.error(isEngineError(error) ? messageOf(error) : error);
    process.exitCode = 1;
  }
} finally {
  await putAway();
}
