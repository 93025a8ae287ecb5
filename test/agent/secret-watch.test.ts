// Values of Secrets that were read do not get into the log.

import t from 'tap';
import { SecretTexts } from '#agent/log-secrets.ts';
import { notingSecrets } from '#agent/secret-watch.ts';
import type { KubeClient } from '#kube/kube-client.ts';
import type { Resource } from '#kube/kube-object.ts';

const kind = { group: '', version: 'v1', kind: 'Secret', isNamespaced: true } as const;
const secretResource: Resource = { ...kind, plural: 'secrets' };
const pods: Resource = { ...kind, plural: 'pods' };

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}

t.test('what a Secret holds is hidden from then on, whole and value by value', async t => {
  const cloud = '[default]\naws_access_key_id = AKIDEXAMPLE\naws_secret_access_key=wJalrXUtnFEMI\n';
  const data = { cloud: base64(cloud), 'repository-password': base64('static-passw0rd\n') };
  const stub = { get: async () => ({ metadata: { name: 's' }, data }), list: async () => ({}) };
  const secrets = new SecretTexts();
  // A stub of one Secret, whatever is asked for.
  const client = notingSecrets(stub as unknown as KubeClient, secrets);
  const line = 'password static-passw0rd of AKIDEXAMPLE signed by wJalrXUtnFEMI';
  await client.get(pods, { name: 's' });
  t.equal(secrets.hideIn(line), line, 'other objects hold no secrets');
  await client.get(secretResource, { name: 's' });
  t.equal(secrets.hideIn(line), 'password [hidden] of [hidden] signed by [hidden]');
});
