// The agent as our chart installs it.

import type { Test } from 'tap';
import { helmIsMissing } from '#test/charts/helm.ts';
import { podLogs } from './pods-in-words.ts';
import { roundTrip } from './round-trips.ts';
import type { Scenario, World } from './scenario.ts';

export const CHARTS: readonly Scenario[] = [
  {
    title: 'installed by its chart, the agent needs no other rights',
    isTrueOfStock: false,
    skip: helmIsMissing(),
    play: installByChart,
  },
];

/** Volumes hold some of everything, what needs these two capabilities included. */
const VALUES = ['nodeAgent.trustedAttributes=true', 'nodeAgent.immutableFlags=true'];
const CONFINED = {
  securityContext: { readOnlyRootFilesystem: true, capabilities: { drop: ['ALL'] } },
};
const AGENTS = '/api/v1/namespaces/velero/pods?labelSelector=role%3Dnode-agent';

async function installByChart(t: Test, world: World): Promise<void> {
  const { installation, agent } = world;
  await installation.useChart(...VALUES);
  await roundTrip(t, world, { name: 'charted' });
  const [pod, ...others] = await installation.client.list(AGENTS);
  t.match(pod, { spec: { serviceAccountName: 'stevedore-node-agent', containers: [CONFINED] } });
  t.same(others, []);
  const log = pod === undefined ? [] : await podLogs(pod, installation.cluster.logs);
  t.equal(log.length, 1, 'the agent was started once');
  t.match(log.join(), 'PodVolumeRestore', 'its log is read');
  t.notMatch(log.join(), 'KUBE_FORBIDDEN');
  await installation.useAgent(agent);
}
