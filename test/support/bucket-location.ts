// The default place for backups, in a bucket of the fake S3 server in place of a directory.

import { STORAGE_LOCATIONS } from '#agent/repositories/repository-objects.ts';
import { CREDENTIALS } from '#test/engine/storage/fake-s3.ts';
import type { KubeEmulator } from '#test/kube-emulator/kube-emulator.ts';

export function putBucket(api: KubeEmulator, s3Url: string): void {
  const { accessKeyId, secretAccessKey } = CREDENTIALS;
  const text = `aws_access_key_id=${accessKeyId}\naws_secret_access_key=${secretAccessKey}\n`;
  const metadata = { name: 'cloud', namespace: 'velero' };
  api.put({ kind: 'Secret', metadata, data: { cloud: btoa(`[default]\n${text}`) } });
  api.change(STORAGE_LOCATIONS, { namespace: 'velero', name: 'default' }, location => {
    location.spec = {
      provider: 'aws',
      config: { s3Url, region: 'minio' },
      credential: { name: 'cloud', key: 'cloud' },
      objectStorage: { bucket: 'bucket' },
    };
  });
}
