// An API server that knows what the chart can be made of, and kubectl and helm that ask it.

import { spawnSync } from 'node:child_process';
import { helm, helmIsMissing } from '#test/charts/helm.ts';
import { clusterProgram, isMissing } from '#test/cluster/cluster-programs.ts';
import {
  type ControlPlane,
  controlPlaneIsMissing,
  startControlPlane,
} from '#test/cluster/control-plane.ts';
import { applyCrds, applyVeleroCrds } from '#test/cluster/velero-crds.ts';

/** The chart's objects are in the first; the second is where alerts and dashboards may go. */
const NAMESPACES = ['velero', 'monitoring'];

/** Why there can be none here; false where there can. */
export function chartServerIsMissing(): string | false {
  const missing = isMissing('velero-crds', 'kubectl');
  const crds = isMissing('chart-crds') && 'no chart-crds: run test/charts/build.sh';
  return controlPlaneIsMissing() || helmIsMissing() || missing || crds;
}

export async function startChartServer(): Promise<ControlPlane> {
  const plane = await startControlPlane();
  await applyVeleroCrds(plane.client, 'v1.18.1');
  await applyCrds(plane.client, clusterProgram('chart-crds'));
  for (const name of NAMESPACES) {
    await plane.client.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
    // Nobody makes it here: there is no controller manager.
    const metadata = { name: 'default', namespace: name };
    await plane.client.create({ apiVersion: 'v1', kind: 'ServiceAccount', metadata });
  }
  return plane;
}

export interface Answer {
  readonly status: number | null;
  /** Of both kinds. */
  readonly text: string;
}

export function kubectl(
  { kubeconfig }: ControlPlane,
  input: string,
  ...words: readonly string[]
): Answer {
  const all = [`--kubeconfig=${kubeconfig}`, ...words];
  const { status, stdout, stderr } = spawnSync(clusterProgram('kubectl'), all, {
    input,
    encoding: 'utf8',
  });
  return { status, text: stdout + stderr };
}

/** What the API server says to objects that it would keep, unknown fields included. */
export function tryOut(plane: ControlPlane, manifest: string, ...words: readonly string[]): Answer {
  const strict = ['apply', '--dry-run=server', '--validate=strict', '--filename=-'];
  return kubectl(plane, manifest, ...strict, ...words);
}

export function helmOn({ kubeconfig }: ControlPlane, ...words: readonly string[]): string {
  return helm(...words, '--namespace=velero', `--kubeconfig=${kubeconfig}`);
}
