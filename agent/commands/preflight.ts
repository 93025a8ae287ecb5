// stevedore preflight

import { resolve } from 'node:path';
import { EXIT, type ExitStatus } from '#engine/cli/exit-status.ts';
import { optionalText } from '#engine/cli/option-values.ts';
import { parseObjectName } from '#agent/config-values.ts';
import { checkHostPods, checkLocalDisk, checkAgentNodes } from './check-node.ts';
import { checkLocations, checkPassword } from './check-locations.ts';
import { checkRights } from './check-rights.ts';
import * as velero from './check-velero.ts';
import {
  type Cluster,
  type ClusterSession,
  type ClusterVerb,
  VELERO_NAMESPACE,
} from './cluster-verb.ts';
import { type Finding, howToSee, isInPod, lookedAt, warning } from './finding.ts';
import {
  type DaemonSet,
  dataMoverOf,
  findAgents,
  isOurs,
  listAgentPods,
} from './installed-agents.ts';
import { countsOf, findingsText } from './preflight-report.ts';
import { givenNamespace, veleroNamespace } from './velero-namespace.ts';

interface Asked {
  readonly namespace: string;
  readonly node: string | undefined;
  readonly cacheDirectory: string | undefined;
}

export const preflight: ClusterVerb = Object.freeze({
  words: ['preflight'],
  operands: '',
  summary: 'check whether a cluster is ready for Stevedore, and what to do where it is not',
  description:
    'A verdict for each thing that has to be right before moves can work: ok, warn or fail, with ' +
    'what to do next. Nothing is written: storage locations are listed and read. What only a ' +
    'node can tell is asked of its agent, or looked at where this runs; what cannot be seen ' +
    'from here is said, and how to see it. The exit status is 1 where something fails.',
  options: [
    VELERO_NAMESPACE,
    { flags: '--node <name>', text: 'of the nodes look at this one alone' },
    { flags: '--cache-dir <dir>', text: 'which limit a cache in this directory, here, would get' },
  ],
  examples: [
    { command: 'stevedore preflight', text: 'before a switch, from a laptop' },
    {
      command: 'kubectl -n velero exec ds/node-agent -- stevedore preflight --cache-dir /cache',
      text: 'with the identity and the disk of an agent',
    },
    {
      command: 'stevedore preflight -o json | jq \'.findings[] | select(.verdict != "ok")\'',
      text: 'what is left to do',
    },
  ],
  prepare: (_operands, options, { workingDirectory }) => {
    const given = givenNamespace(options);
    const node = optionalText(options, 'node');
    if (node !== undefined) parseObjectName(node, '--node');
    const directory = optionalText(options, 'cacheDir');
    const cacheDirectory = directory && resolve(workingDirectory, directory);
    return async session => {
      const namespace = veleroNamespace(given, session);
      const asked = { namespace, node, cacheDirectory };
      const findings = await session.withCluster(cluster => checkAll(session, cluster, asked));
      const counts = countsOf(findings);
      await session.output.report({ ...counts, findings }, () =>
        findingsText(findings, session.columns),
      );
      return (counts.fail === 0 ? EXIT.done : EXIT.failed) satisfies ExitStatus;
    };
  },
} satisfies ClusterVerb);

async function checkAll(
  session: ClusterSession,
  { kube, ask, connection }: Cluster,
  { namespace, node, cacheDirectory }: Asked,
): Promise<Finding[]> {
  const { clock, environment, signal } = session;
  const parts = { kube, namespace, signal };
  const warned: Finding[] = [];
  const onWarning = ({ message }: Error) =>
    void warned.push(warning('storage', message, 'docs/errors.md'));
  const access = { ...parts, clock, environment, onWarning };
  let sets: readonly DaemonSet[] = [];
  const findings: Finding[] = [];
  const look = async (check: string, work: () => Promise<readonly Finding[]>) =>
    void findings.push(...(await lookedAt(check, work, howToSee(environment))));
  await look('Velero server', () => velero.checkVersion(parts));
  await look('custom resources', () => velero.checkDefinitions(parts));
  await look('node agents', async () => {
    sets = await findAgents(kube, namespace, signal);
    return velero.checkAgents(sets, namespace);
  });
  const agents = sets.find(({ spec }) => isOurs(spec?.template?.spec)) ?? sets[0];
  const template = agents?.spec?.template?.spec;
  await look('node-agent ConfigMap', () => velero.checkNodeAgentConfig(parts, agents));
  await look('data movers', () => velero.checkMovers(parts));
  await look('running now', () => velero.checkRunning(parts));
  await look('repository password', () => checkPassword(access));
  await look('storage locations', () => checkLocations(access));
  await look('rights of the agents', async () => {
    const { kubeconfig, context } = session.connectOptions;
    const isOwn = isInPod(environment) && (kubeconfig ?? context) === undefined;
    const account = template?.serviceAccountName ?? (isOwn ? 'the account of this pod' : undefined);
    if (account !== undefined) {
      const dataMover = dataMoverOf(template);
      return checkRights({ ask, namespace, account, isOwn, dataMover, signal });
    }
    const text = 'not seen: without a DaemonSet node-agent there is no account to ask about';
    return [warning('rights of the agents', text, 'the chart makes its roles; check again then')];
  });
  await look('nodes', async () => {
    const local = await checkHostPods();
    if (local !== undefined && node === undefined) return local;
    const pods = await listAgentPods(kube, namespace, signal);
    const mounted = template?.volumes?.find(({ name }) => name === 'host-pods');
    const podVolumePath = mounted?.hostPath?.path;
    return checkAgentNodes({ connection, pods, namespace, node, podVolumePath, signal });
  });
  if (cacheDirectory !== undefined) await look('disk', () => checkLocalDisk(cacheDirectory));
  return [...findings, ...warned];
}
