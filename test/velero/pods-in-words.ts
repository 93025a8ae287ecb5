// Why pods are not ready, for whoever reads that a test failed: the states of their containers, the
// events about them, and the ends of their logs.

import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ApiClient, ApiObject } from '#test/cluster/api-client.ts';

const LOG_CHARACTERS_SHOWN = 2000;
const EVENTS_SHOWN = 5;

type EventObject = ApiObject & { readonly message: string };

/** `place` as in `/api/v1/namespaces/velero`; `logs` as kept for the cluster. */
export async function podsInWords(
  client: ApiClient,
  {
    place,
    labels,
    logs,
  }: { readonly place: string; readonly labels: string; readonly logs: string },
): Promise<string> {
  const pods = await client.list(`${place}/pods?labelSelector=${labels}`);
  const words = await Promise.all(
    pods.map(async pod => {
      const about = `involvedObject.name=${pod.metadata.name}`;
      // core/v1, Event.
      const events = (await client.list(`${place}/events?fieldSelector=${about}`)) as EventObject[];
      const told = events.slice(-EVENTS_SHOWN).map(({ message }) => `  ${message}`);
      const states = JSON.stringify(pod.status?.containerStatuses ?? pod.status);
      return [pod.metadata.name, states, ...told, ...(await ends(pod, logs))].join('\n');
    }),
  );
  return words.join('\n') || `no pod with ${labels}`;
}

async function ends(pod: ApiObject, logs: string): Promise<string[]> {
  return (await podLogs(pod, logs)).map(text => text.slice(-LOG_CHARACTERS_SHOWN));
}

/**
 * Of each start of each of its containers, for as long as the pod is there, as the kubelet lays
 * them out: pods/<namespace>_<name>_<uid>/<container>/<number>.log.
 */
export async function podLogs({ metadata }: ApiObject, logs: string): Promise<string[]> {
  const { namespace = '', name, uid = '' } = metadata;
  const directory = join(logs, 'pods', `${namespace}_${name}_${uid}`);
  const entries = await readdir(directory, { recursive: true }).catch(() => []);
  const files = entries
    .filter(entry => entry.endsWith('.log'))
    .map(entry => join(directory, entry));
  return Promise.all(files.map(file => readFile(file, 'utf8')));
}
