import type { Test } from 'tap';

/** The environment of the credential chain: only `values`, and no metadata service. */
export function cleanEnvironment(t: Test, values: Record<string, string>): void {
  const before = { ...process.env };
  for (const name of Object.keys(process.env)) {
    if (name.startsWith('AWS_')) delete process.env[name];
  }
  const files = {
    AWS_SHARED_CREDENTIALS_FILE: '/nonexistent/c',
    AWS_CONFIG_FILE: '/nonexistent/d',
  };
  Object.assign(process.env, files, { AWS_EC2_METADATA_DISABLED: 'true' }, values);
  t.teardown(() => {
    for (const name of Object.keys(process.env)) {
      if (name.startsWith('AWS_')) delete process.env[name];
    }
    Object.assign(process.env, before);
  });
}
