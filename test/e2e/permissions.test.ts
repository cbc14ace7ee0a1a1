import { beforeAll, expect, test } from 'vitest';
import { apply, waitForReady } from './cluster/kubectl.ts';
import { clientOf } from './cluster/names.ts';
import { type Access, canI, permissionsOf } from './cluster/permissions.ts';
import { inPod } from './cluster/pod.ts';
import { scenario } from './scenario.ts';

const server = 'system:serviceaccount:internal-dns:idns-rights';
const crossplane = 'system:serviceaccount:crossplane-system:crossplane';

scenario('permissions', ({ internalDNS }) => {
  beforeAll(async () => {
    await apply(
      internalDNS('rights', {
        zones: [{ name: 'rights.internal' }],
        securityContext: { runAsUser: 1234, runAsGroup: 1235, fsGroup: 1236 },
      }),
    );
    await waitForReady('rights');
  });

  test('the server answers as the user and groups of its spec', async () => {
    const identity = await inPod('idns-rights-0', 'powerdns', 'id');
    expect(identity.trim()).toBe('uid=1234 gid=1235 groups=1235,1236');
    expect(await (await clientOf('rights')).answer('rights.internal', 'NS')).toBe('ns1.rights.internal');
  });

  test('the server can read its sources, read and write its own ConfigMaps and PVC, and create Events, and nothing else', async () => {
    const reads = (resource: string) => ['list', 'watch'].map((verb) => `${verb} ${resource} *`);
    const discovery = [...reads('networking.k8s.io/ingresses'), ...reads('services'), 'create events *'];
    const expected = [
      ...discovery,
      ...['get', 'list', 'watch'].map((verb) => `${verb} configmaps idns-rights-declared`),
      'patch configmaps idns-rights-status',
      ...['get', 'list', 'watch', 'patch'].map((verb) => `${verb} configmaps idns-rights-kept`),
      'get persistentvolumeclaims data-idns-rights-0',
      'patch persistentvolumeclaims data-idns-rights-0',
    ];
    const inside = await permissionsOf(server, 'internal-dns');
    expect(inside.sort()).toEqual(expected.sort());
    const outside = await permissionsOf(server, 'default');
    expect(outside.sort()).toEqual(discovery.sort());
  });

  test.each<Access>([
    { verb: 'get', resource: 'secrets', namespace: 'internal-dns' },
    { verb: 'list', resource: 'secrets', namespace: 'default' },
    { verb: 'create', resource: 'pods:exec', namespace: 'internal-dns' },
    { verb: 'create', resource: 'pods', namespace: 'internal-dns' },
    { verb: 'list', resource: 'nodes' },
    { verb: 'list', resource: 'events', namespace: 'default' },
    { verb: 'patch', resource: 'events', namespace: 'default' },
    { verb: 'create', resource: 'events.k8s.io/events', namespace: 'default' },
    { verb: 'update', resource: 'networking.k8s.io/ingresses', namespace: 'default' },
    { verb: 'patch', resource: 'networking.k8s.io/ingresses:status', namespace: 'default' },
    { verb: 'patch', resource: 'configmaps', name: 'idns-rights-declared', namespace: 'internal-dns' },
    { verb: 'patch', resource: 'configmaps', name: 'idns-home-status', namespace: 'internal-dns' },
    { verb: 'create', resource: 'rbac.authorization.k8s.io/clusterrolebindings' },
    { verb: 'patch', resource: 'dns.internal/internaldnses', name: 'rights' },
    { verb: 'impersonate', resource: 'users' },
    { verb: 'create', resource: 'serviceaccounts:token', namespace: 'internal-dns', name: 'idns-rights' },
  ])('the server cannot $verb $resource', async (access) => {
    expect(await canI(server, access)).toBe(false);
  });

  test('Crossplane can bind the roles that discovery needs, read StorageClasses, and gets no other permission to read or to delegate', async () => {
    const roles = 'rbac.authorization.k8s.io/clusterroles';
    for (const name of ['internal-dns:source:ingress', 'internal-dns:events']) {
      expect(await canI(crossplane, { verb: 'bind', resource: roles, name })).toBe(true);
    }
    const storageClasses = 'storage.k8s.io/storageclasses';
    for (const verb of ['get', 'list', 'watch']) {
      expect(await canI(crossplane, { verb, resource: storageClasses })).toBe(true);
    }
    const denied: Access[] = [
      { verb: 'bind', resource: roles, name: 'cluster-admin' },
      { verb: 'bind', resource: roles, name: 'internal-dns:crossplane' },
      { verb: 'escalate', resource: roles },
      { verb: 'create', resource: roles },
      { verb: 'update', resource: roles, name: 'internal-dns:source:ingress' },
      { verb: 'list', resource: 'networking.k8s.io/ingresses' },
      { verb: 'list', resource: 'gateway.networking.k8s.io/httproutes' },
      { verb: 'list', resource: 'nodes' },
      { verb: 'create', resource: storageClasses },
      { verb: 'patch', resource: storageClasses },
      { verb: 'delete', resource: storageClasses },
      { verb: 'create', resource: 'pods:exec', namespace: 'internal-dns' },
      { verb: 'impersonate', resource: 'users' },
    ];
    for (const access of denied) expect([access, await canI(crossplane, access)]).toEqual([access, false]);
  });
});
