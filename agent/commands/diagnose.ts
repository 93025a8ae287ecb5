// stevedore diagnose

import { resolve } from 'node:path';
import { packageVersion } from '#engine/base/package-version.ts';
import { EXIT } from '#engine/cli/exit-status.ts';
import { optionalText } from '#engine/cli/option-values.ts';
import { counted, formatBytes } from '#engine/cli/quantity.ts';
import { renderTable } from '#engine/cli/table.ts';
import { safeText } from '#engine/cli/terminal-text.ts';
import { bundleFiles } from './bundle-files.ts';
import {
  type Cluster,
  type ClusterSession,
  type ClusterVerb,
  VELERO_NAMESPACE,
} from './cluster-verb.ts';
import { LENGTH_MIN } from './hidden-texts.ts';
import { Redaction } from './redact.ts';
import { givenNamespace, veleroNamespace } from './velero-namespace.ts';
import { writeBundle } from './write-bundle.ts';

interface Written {
  readonly name: string;
  readonly bytes: number;
}

export const diagnose: ClusterVerb = Object.freeze({
  words: ['diagnose'],
  operands: '',
  summary: 'collect what somebody needs who looks for a fault, without secrets',
  description:
    'Writes a directory, or an archive where the name ends in .tar.gz: versions, settings of ' +
    "agents, controller and server, moves and what is Velero's around them, events, logs (the " +
    'last 5,000 lines), metrics and nodes. No Secret is in it; their values are read so that ' +
    'none of them is left anywhere, and what looks or is named like one is replaced. Names of ' +
    'namespaces, pods, volumes and buckets are in it: look through it before you hand it on.',
  options: [
    VELERO_NAMESPACE,
    { flags: '--to <path>', text: 'directory or FILE.tar.gz to write (stevedore-diagnose)' },
  ],
  examples: [
    { command: 'stevedore diagnose --to fault.tar.gz', text: 'to attach to an issue' },
    { command: 'stevedore diagnose --to fault', text: 'as a directory, to look through' },
  ],
  prepare: (_operands, options, { workingDirectory }) => {
    const given = givenNamespace(options);
    const target = resolve(workingDirectory, optionalText(options, 'to') ?? 'stevedore-diagnose');
    return session =>
      session.withCluster(async cluster => {
        const namespace = veleroNamespace(given, session);
        const files = await collect(session, cluster, { namespace, target });
        await session.output.report({ path: target, files }, () => writtenText(target, files));
        return EXIT.done;
      });
  },
} satisfies ClusterVerb);

async function collect(
  { signal, clock }: ClusterSession,
  cluster: Cluster,
  { namespace, target }: { readonly namespace: string; readonly target: string },
): Promise<Written[]> {
  const written: Written[] = [];
  await writeBundle(target, async writeFile => {
    const write = async (name: string, text: string): Promise<void> => {
      await writeFile(name, text);
      written.push({ name, bytes: Buffer.byteLength(text) });
    };
    const redaction = new Redaction();
    const isLearned = await redaction.learn(cluster.kube, namespace, signal);
    await write('versions/stevedore.txt', `${packageVersion()}\n`);
    for await (const { name, text } of bundleFiles({ cluster, namespace, redaction, signal })) {
      await write(name, text);
    }
    await write('README.md', readme(written, { namespace, isLearned, nowMs: clock.now() }));
  });
  return written.toSorted((one, other) => (one.name < other.name ? -1 : 1));
}

interface ReadmeParts {
  readonly namespace: string;
  readonly isLearned: boolean;
  readonly nowMs: number;
}

function readme(files: readonly Written[], { namespace, isLearned, nowMs }: ReadmeParts): string {
  const how = isLearned
    ? `Values of the Secrets of namespace ${namespace} were looked for in every file and replaced,
those of at least ${LENGTH_MIN} characters.`
    : `Not all Secrets of namespace ${namespace} could be read: values are known by form and name.`;
  const names = files.map(({ name }) => `- ${name}`).join('\n');
  return `# What stevedore diagnose has collected

At ${new Date(nowMs).toISOString()}, of Velero's namespace ${namespace}. There is no Secret in it.
${how}
Of what is neither Velero's nor Stevedore's no values, variables and commands were collected.
A file that ends in .missing says why something could not be read.

${names}
`;
}

function writtenText(target: string, files: readonly Written[]): string {
  const table = renderTable(
    [
      { title: 'file', text: ({ name }: Written) => safeText(name) },
      { title: 'size', isRight: true, text: ({ bytes }: Written) => formatBytes(bytes) },
    ],
    files,
  );
  const bytes = files.reduce((sum, each) => sum + each.bytes, 0);
  const head = `${counted(files.length, 'file')}, ${formatBytes(bytes)}, in ${safeText(target)}`;
  return `${head}\n\n${table}\nNo Secret is in it. Look through it before you hand it on.\n`;
}
