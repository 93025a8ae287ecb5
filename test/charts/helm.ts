// helm, as test/cluster/build.sh makes it or HELM_BIN names it, and what it renders of our chart.

import { execFile, execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { parseYaml } from '#engine/base/yaml.ts';
import { clusterProgram, isMissing } from '#test/cluster/cluster-programs.ts';
import { REPOSITORY_ROOT } from '#test/tidy/source-files.ts';

export const CHART = join(REPOSITORY_ROOT, 'charts/stevedore');
/** One that was not built by its own project believes in Kubernetes 1.20. */
export const KUBE_VERSION = '--kube-version=1.30.0';

const named = process.env.HELM_BIN;

/** Why what needs it is skipped; false where there is one. */
export function helmIsMissing(): string | false {
  return named === undefined && isMissing('helm');
}

/** Its standard output. @throws Error with what it says */
export function helm(...words: string[]): string {
  return execFileSync(named ?? clusterProgram('helm'), words, { encoding: 'utf8', stdio: 'pipe' });
}

/** As helm, for an API server of this process, which answers meanwhile. */
export async function helmMeanwhile(...words: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(named ?? clusterProgram('helm'), words);
  return stdout;
}

/** What an installation by the name `stevedore` in Velero's namespace consists of. */
export function renderChart(...words: string[]): unknown[] {
  const text = helm('template', 'stevedore', CHART, '--namespace=velero', KUBE_VERSION, ...words);
  const parts = text.split(/^---$/m).map(part => parseYaml(part, 'what helm renders'));
  return parts.filter(part => part !== null);
}
