// Each right of the agent taken away in turn: it is named in the log and in the readiness probe, at
// the start and while the agent works.

import t from 'tap';
import { PERMISSIONS } from '#agent/permissions.ts';
import { POD_VOLUME_BACKUPS } from '#agent/moves/objects/pod-volume-backup.ts';
import type { KubeVerb } from '#kube/request-target.ts';
import * as velero from '#test/demo/velero-objects.ts';
import { BACKUP, ended, startAgent } from '#test/support/agent-scene.ts';

async function probe(port: unknown) {
  const answer = await fetch(`http://127.0.0.1:${String(port)}/readyz`);
  return { status: answer.status, text: await answer.text() };
}

for (const { group, resource, verbs, isNamespaced, isOptional } of PERMISSIONS) {
  for (const verb of verbs) {
    const kind = group === '' ? resource : `${resource}.${group}`;
    const right = `may not ${verb} ${kind}${isNamespaced ? ' in velero' : ''}; add it`;
    // As roles have them: what is granted in all namespaces is asked for there.
    const namespace = isNamespaced ? 'velero' : undefined;
    const denial = { verb: verb as KubeVerb, plural: resource, namespace };
    const how = isOptional ? 'done without' : 'waited for';
    t.test(`${verb} ${kind} is ${how}, and named`, async t => {
      const { says } = await startAgent(t, { prepare: api => void api.access.deny(denial) });
      const { port } = await says('metrics are served');
      if (isOptional) {
        t.match(await says('the agent works without what is missing'), { missing: right });
        await says('ready');
        const { status, text } = await probe(port);
        t.equal(status, 200);
        t.match(text, `[+] optional-permissions: ready without, but the service account ${right}`);
      } else {
        t.match(await says('the agent cannot work yet'), { missing: right });
        const { status, text } = await probe(port);
        t.equal(status, 503);
        t.match(text, `[-] permissions: the service account ${right}`);
      }
    });
  }
}

t.test('a right that is taken away later is named until it is back', async t => {
  const { api, says } = await startAgent(t);
  const { port } = await says('metrics are served');
  await says('ready');
  const grant = api.access.deny({ verb: 'watch', plural: 'pods' });
  api.cutWatches('pods');
  t.match(await says('a right is missing'), { right: 'watch pods', level: 'error' });
  const { status, text } = await probe(port);
  t.equal(status, 503);
  const words = 'User "system:serviceaccount:velero:velero" cannot watch resource "pods"';
  t.match(text, `[-] watch pods: cannot watch pods in all namespaces: pods is forbidden: ${words}`);
  grant();
  await says('a right that was missing is there');
  t.equal((await probe(port)).status, 200);
});

t.test('a right that is done without and missing keeps nobody from being ready', async t => {
  const { api, says, runPod } = await startAgent(t);
  const { port } = await says('metrics are served');
  await says('ready');
  api.access.deny({ verb: 'create', plural: 'events' });
  api.add(velero.podVolumeBackup('daily-1', BACKUP, runPod('web')));
  t.match(await ended(api, POD_VOLUME_BACKUPS, 'daily-1'), { phase: 'Failed' });
  t.match(await says('a right is missing'), { right: 'create events' });
  const { status, text } = await probe(port);
  t.equal(status, 200);
  t.match(text, '[+] create events: ready without, but cannot create events');
});

t.test('what admission forbids is no right that is missing', async t => {
  const { api, says, lines, runPod } = await startAgent(t);
  await says('ready');
  const effect = { type: 'status', code: 403, reason: 'Forbidden' } as const;
  api.faults.inject({ verb: 'create', plural: 'events', effect });
  api.add(velero.podVolumeBackup('daily-1', BACKUP, runPod('web')));
  await says('an event could not be written');
  t.notMatch(lines.join(''), 'a right is missing');
});
