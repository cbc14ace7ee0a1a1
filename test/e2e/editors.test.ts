import { expect, test } from 'vitest';
import { apply, kubectl, until, waitForReady } from './cluster/kubectl.ts';
import { clientOf } from './cluster/names.ts';
import { scenario } from './scenario.ts';

/** People who may edit the zones of an InternalDNS and nothing else, as in examples/zone-editors.yaml. */
scenario('editors', ({ owns, shop }) => {
  const example = 'examples/zone-editors.yaml';
  const handbook = owns('handbook');
  const change = (spec: object) => ['-p', JSON.stringify({ spec }), '--type=merge'];
  const edit = (...flags: string[]) => kubectl('patch', 'internaldns', handbook, '--as=jo', ...flags);
  const zone = (address: string) => ({
    zones: [{ name: 'handbook.internal', records: [{ name: 'wiki', type: 'A', values: [address] }] }],
  });

  test('an editor can change a record', async () => {
    await kubectl('apply', '-f', example);
    await apply({
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRoleBinding',
      metadata: { name: shop },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'internal-dns-editor' },
      subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: 'jo' }],
    });
    await waitForReady(handbook);
    await edit(...change(zone('192.0.2.20')));
    await (await clientOf(handbook)).becomes('wiki.handbook.internal', '192.0.2.20');
  });

  const only = /spec\.zones is all that you may change/;
  test.each<[what: string, spec: object]>([
    ['an image', { images: { agent: 'registry.example.com/evil:v1' } }],
    ['the replicas', { replicas: 2 }],
    ['the sources', { discovery: { sources: [] } }],
    ['a field that is not set yet', { priorityClassName: 'any', scheduling: { nodeSelector: { any: 'node' } } }],
    ['a record together with the labels of the pods', { ...zone('192.0.2.30'), podLabels: { any: 'label' } }],
  ])('an editor cannot change %s', async (_, spec) => {
    // The API server takes a moment to enforce a policy.
    await until('the policy is enforced', async () => {
      const result = await edit(...change(spec), '--dry-run=server').catch((error) => (error as Error).message);
      return only.test(result) || result;
    });
    await expect(edit(...change(spec))).rejects.toThrow(only);
  });

  test.each(['crossplane.io/paused=true', 'dns.internal/let-go=2026-11-29T10:00:00Z'])(
    'an editor cannot annotate it with %s',
    async (annotation) => {
      const annotating = kubectl('annotate', 'internaldns', handbook, annotation, '--as=jo');
      await expect(annotating).rejects.toThrow(/are not yours to change/);
    },
  );

  test('an editor cannot create or delete one, and the policy does not restrict an administrator', async () => {
    const may = (verb: string) => kubectl('auth', 'can-i', verb, 'internaldnses', '--as=jo').catch(() => 'no');
    for (const verb of ['create', 'delete', 'deletecollection']) expect(await may(verb)).toMatch(/^no/);
    await kubectl('patch', 'internaldns', handbook, ...change({ podLabels: { any: 'label' } }));
    await waitForReady(handbook);
    await kubectl('delete', 'clusterrolebinding', shop);
    await kubectl('delete', '-f', example, '--wait=true');
  });
});
