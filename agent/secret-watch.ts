// A client that notes the values of every Secret it hands out, so that the log can leave them out
// wherever they turn up: in messages of S3 servers, in a repository's error.

import type { CallOptions, KubeClient } from '#kube/kube-client.ts';
import type { KubeObject, ObjectName, Resource } from '#kube/kube-object.ts';
import type { SecretTexts } from './log-secrets.ts';

interface SecretObject extends KubeObject {
  /** Base64. */
  readonly data?: Readonly<Record<string, string>>;
}

/** `get` is all that Secrets are read by. */
export function notingSecrets(
  client: Pick<KubeClient, 'get' | 'list'>,
  secrets: SecretTexts,
): Pick<KubeClient, 'get' | 'list'> {
  return {
    list: (resource, query, options) => client.list(resource, query, options),
    async get<Item extends KubeObject>(
      resource: Resource,
      name: ObjectName,
      options?: CallOptions,
    ): Promise<Item> {
      const item = await client.get<Item>(resource, name, options);
      if (resource.plural === 'secrets' && resource.group === '') note(item, secrets);
      return item;
    },
  };
}

function note({ data = {} }: SecretObject, secrets: SecretTexts): void {
  for (const encoded of Object.values(data)) {
    const text = Buffer.from(encoded, 'base64').toString('utf8').trim();
    secrets.add(text);
    // The values of a credentials file, a line each (`aws_secret_access_key = …`).
    for (const [, value = ''] of text.matchAll(/^\w+\s*=\s*(\S+)\s*$/gm)) secrets.add(value);
  }
}
