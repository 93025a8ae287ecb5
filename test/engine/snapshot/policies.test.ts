import t from 'tap';
import { loadPolicies, policiesFor } from '#engine/snapshot/policies.ts';
import { policyLabels } from '#engine/format/policy.ts';
import { MemoryContents } from '#test/support/memory-contents.ts';
import { manifestsOver } from '#test/support/stored-tree.ts';

const source = { host: 'h', userName: 'u', path: '/a/b' };

t.test('the policy of a source inherits from those above it and from the defaults', async t => {
  const manifests = manifestsOver(new MemoryContents());
  const put = (path: string, userName: string, policy: unknown) => {
    const host = userName === '' ? '' : 'h';
    manifests.put(policyLabels({ host, userName, path }), JSON.stringify(policy));
  };
  put('', '', { compression: { compressorName: 'zstd' }, files: { ignore: ['global'] } });
  put('/a', 'u', { files: { ignore: ['from /a'] } });
  put('/other', 'u', { files: { ignore: ['other'] } });
  await manifests.flush();
  const { effective, policies } = await policiesFor(manifests, source);
  const { policy, sources } = effective;
  t.same(policy.files?.ignore, ['from /a']);
  t.equal(policy.compression?.compressorName, 'zstd');
  t.same(policy.files?.ignoreDotFiles, ['.kopiaignore']);
  t.equal(sources.length, 2);
  t.equal(policies.length, 3);
  t.strictSame(await loadPolicies(manifests), policies);
});

t.test('a policy that cannot be read is an error and not an absence', async t => {
  const manifests = manifestsOver(new MemoryContents());
  const id = manifests.put(policyLabels(source), '{"files":{"ignore":7}}');
  const message = new RegExp(id);
  await t.rejects(policiesFor(manifests, source), { code: 'POLICY_INVALID', message });
});
