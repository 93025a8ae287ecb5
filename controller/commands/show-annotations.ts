// One run of `stevedore annotations`, from words to exit status: what the annotator would do with
// rules to the pods of a cluster, without a controller and without a right to write.

import { oneOf, parseObjectName, parseText } from '#agent/config-values.ts';
import { problemLines, readSettings, requireNoProblems } from '#agent/read-settings.ts';
import { SERVICE_SETTINGS } from '#agent/service-settings.ts';
import { optional, preset, type SettingValues } from '#agent/setting.ts';
import { type ExplainedPod, explainPod } from '#controller/annotator/explain-pod.ts';
import { parseRules } from '#controller/annotator/parse-rules.ts';
import { watchedClaim, watchedVolume } from '#controller/annotator/watched-objects.ts';
import { errorText } from '#engine/cli/error-report.ts';
import { EXIT, type ExitStatus } from '#engine/cli/exit-status.ts';
import { runToExit } from '#engine/cli/run-to-exit.ts';
import { CLAIMS, PERSISTENT_VOLUMES, PODS } from '#kube/core-resources.ts';
import { HttpKubeClient } from '#kube/http-client.ts';
import type { KubeClient } from '#kube/kube-client.ts';
import { connect } from '#kube/kube-config.ts';
import { keyOf } from '#kube/kube-object.ts';
import { annotationsDocument, annotationsText } from './annotations-report.ts';
import type { CommandSurface } from './run-command.ts';

const SETTINGS = Object.freeze({
  annotatorRules: preset('[]', {
    flags: '--annotator-rules <yaml>',
    variables: ['STEVEDORE_ANNOTATOR_RULES'],
    text: 'as the controller has them; without any: what it would take away',
    parse: parseRules,
  }),
  namespace: optional({
    flags: '-n, --namespace <name>',
    variables: [],
    text: 'of this namespace alone',
    parse: parseObjectName,
  }),
  kubeconfig: optional({ ...SERVICE_SETTINGS.kubeconfig, parse: parseText }),
  kubecontext: optional({ ...SERVICE_SETTINGS.kubecontext, parse: parseText }),
  output: preset('text', {
    flags: '-o, --output <format>',
    variables: [],
    text: 'text, or json: exactly one document',
    parse: oneOf({ text: 'text', json: 'json' } as const),
  }),
});

const PROGRAM = Object.freeze({
  name: 'stevedore annotations',
  summary: 'Shows what the annotator would write to which pods, and why. Writes nothing.',
  epilogue: `\
Examples:
  # rules that are not in use yet
  $ stevedore annotations --annotator-rules "$(cat rules.yaml)"

  # what of which pods would be changed
  $ stevedore annotations --annotator-rules "$(cat rules.yaml)" -o json \\
      | jq '.pods[] | select(.state == "outdated") | {pod, annotations}'

It takes list of pods, persistentvolumeclaims and persistentvolumes. Rules are described
in docs/annotate-pods.md.
`,
  settings: SETTINGS,
  isWithoutFile: true,
});

/** Never rejects: a failure has been shown and is in the status. */
export async function showAnnotations(surface: CommandSurface): Promise<ExitStatus> {
  return runToExit(surface, failureText, async (output, signal) => {
    const words = surface.words.slice(1);
    const read = readSettings(PROGRAM, { ...surface, words });
    if (read.kind === 'text') await output.bytes(read.text);
    else {
      requireNoProblems(read.problems);
      const pods = await explainAll(read.values, signal);
      await output.report(annotationsDocument(pods), () => annotationsText(pods));
    }
    return EXIT.done;
  });
}

function failureText(error: unknown): string {
  const problems = problemLines(error);
  return problems ? `stevedore annotations:\n${problems}  try: --help\n` : errorText(error);
}

async function explainAll(
  { annotatorRules: rules, namespace, kubeconfig, kubecontext }: SettingValues<typeof SETTINGS>,
  signal: AbortSignal,
): Promise<ExplainedPod[]> {
  const connection = await connect({ kubeconfig, context: kubecontext });
  try {
    const client = new HttpKubeClient(connection);
    const lookup = await lookupOf(client, namespace, signal);
    // A page of pods is decided about and forgotten before the next.
    const explained: ExplainedPod[] = [];
    await client.list(
      PODS,
      { namespace },
      {
        signal,
        project: pod => {
          explained.push(explainPod(pod, rules, lookup));
          return { metadata: { name: pod.metadata.name } };
        },
      },
    );
    return explained;
  } finally {
    connection.close();
  }
}

async function lookupOf(
  client: Pick<KubeClient, 'list'>,
  namespace: string | undefined,
  signal: AbortSignal,
) {
  const options = { signal };
  const [claims, volumes] = await Promise.all([
    client.list(CLAIMS, { namespace }, { ...options, project: watchedClaim }),
    client.list(PERSISTENT_VOLUMES, {}, { ...options, project: watchedVolume }),
  ]);
  const byKey = new Map(claims.items.map(claim => [keyOf(claim), claim]));
  const byName = new Map(volumes.items.map(volume => [volume.metadata.name, volume]));
  return {
    claim: (inside: string, name: string) => byKey.get(`${inside}/${name}`),
    volume: (name: string) => byName.get(name),
  };
}
