// What became of backups and restores, for whoever reads that a test failed: those that are not
// completed, their moves, and what the server said of errors.

import type { ApiObject } from '#test/cluster/api-client.ts';
import { VELERO, type Installation } from './installation.ts';
import { podLogs } from './pods-in-words.ts';

const KINDS = ['backups', 'restores', 'podvolumebackups', 'podvolumerestores'];
const ERRORS_SHOWN = 8;
const LINE_CHARACTERS_SHOWN = 600;
const SERVERS = '/api/v1/namespaces/velero/pods?labelSelector=deploy%3Dvelero';

export async function movesInWords({ client, cluster }: Installation): Promise<string[]> {
  const lines: string[] = [];
  for (const kind of KINDS) {
    const objects = await client.list(`${VELERO}/${kind}`);
    lines.push(...objects.filter(isWorthTelling).map(each => inWords(kind, each)));
  }
  for (const server of await client.list(SERVERS)) {
    const logs = await podLogs(server, cluster.logs);
    const errors = logs.flatMap(log => log.split('\n').filter(line => /level=error/.test(line)));
    lines.push(...errors.slice(-ERRORS_SHOWN).map(shortened));
  }
  return lines;
}

function isWorthTelling({ status }: ApiObject): boolean {
  return status?.phase !== 'Completed';
}

function inWords(kind: string, { metadata, status }: ApiObject): string {
  return shortened(`${kind} ${metadata.name}: ${JSON.stringify(status)}`);
}

function shortened(line: string): string {
  return line.slice(0, LINE_CHARACTERS_SHOWN);
}
