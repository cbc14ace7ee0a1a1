import { expect, test } from 'vitest';
import { createAs } from './kubectl.ts';

const server = 'system:serviceaccount:internal-dns:idns-corp';
const crossplane = 'system:serviceaccount:crossplane-system:crossplane';

interface Wish {
  verb: string;
  /** Before a slash the group, which core resources have none of: `networking.k8s.io/ingresses`, `pods:exec`. */
  resource: string;
  name?: string;
  namespace?: string;
}

/** What the API server would answer to a request of this account. */
async function may(account: string, { verb, resource, name, namespace }: Wish): Promise<boolean> {
  const [group, plural] = resource.includes('/') ? resource.split('/') : ['', resource];
  const [kind, subresource] = plural!.split(':');
  const resourceAttributes = { verb, group, resource: kind, subresource, name, namespace };
  const review = {
    apiVersion: 'authorization.k8s.io/v1',
    kind: 'SelfSubjectAccessReview',
    spec: { resourceAttributes },
  };
  return (await createAs(account, review)).status.allowed;
}

interface Rule {
  verbs: string[];
  apiGroups: string[];
  resources: string[];
  resourceNames?: string[];
}

/** What an account may do in a namespace and cluster-wide, but ask about itself; a line each: `verb group/resource name`. */
export async function everything(account: string, namespace: string): Promise<string[]> {
  const review = { apiVersion: 'authorization.k8s.io/v1', kind: 'SelfSubjectRulesReview', spec: { namespace } };
  const { status } = await createAs(account, review);
  const lines = (status.resourceRules as Rule[]).flatMap(({ verbs, apiGroups, resources, resourceNames = ['*'] }) =>
    verbs.flatMap((verb) =>
      apiGroups.flatMap((group) =>
        resources.flatMap((resource) =>
          resourceNames.map((name) => `${verb} ${group ? `${group}/` : ''}${resource} ${name}`),
        ),
      ),
    ),
  );
  return lines.filter((line) => !isAboutItself(line));
}

/** What every account may ask about itself: https://kubernetes.io/docs/reference/access-authn-authz/rbac/#discovery-roles */
const isAboutItself = (line: string) => / (authorization|authentication)\.k8s\.io\/self/.test(line);

export function permissions(): void {
  test('the server reads what it discovers, its own mailbox and keys, tells of hosts in events, and may do nothing else', async () => {
    const reads = (resource: string) => ['list', 'watch'].map((verb) => `${verb} ${resource} *`);
    const discovery = [...reads('networking.k8s.io/ingresses'), ...reads('services'), 'create events *'];
    const expected = [
      ...discovery,
      ...['get', 'list', 'watch'].map((verb) => `${verb} configmaps idns-corp-declared`),
      'patch configmaps idns-corp-status',
      'get persistentvolumeclaims data-idns-corp-0',
      'patch persistentvolumeclaims data-idns-corp-0',
    ];
    const inside = await everything(server, 'internal-dns');
    expect(inside.sort()).toEqual(expected.sort());
    const outside = await everything(server, 'default');
    expect(outside.sort()).toEqual(discovery.sort());
  });

  test.each<Wish>([
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
    { verb: 'patch', resource: 'configmaps', name: 'idns-corp-declared', namespace: 'internal-dns' },
    { verb: 'patch', resource: 'configmaps', name: 'idns-home-status', namespace: 'internal-dns' },
    { verb: 'create', resource: 'rbac.authorization.k8s.io/clusterrolebindings' },
    { verb: 'patch', resource: 'dns.internal/internaldnses', name: 'corp' },
    { verb: 'impersonate', resource: 'users' },
    { verb: 'create', resource: 'serviceaccounts:token', namespace: 'internal-dns', name: 'idns-corp' },
  ])('the server may not $verb $resource', async (wish) => {
    expect(await may(server, wish)).toBe(false);
  });

  test('Crossplane may bind what discovery needs, and gains nothing to read or to hand on', async () => {
    const roles = 'rbac.authorization.k8s.io/clusterroles';
    for (const name of ['internal-dns:source:ingress', 'internal-dns:events']) {
      expect(await may(crossplane, { verb: 'bind', resource: roles, name })).toBe(true);
    }
    const tempting: Wish[] = [
      { verb: 'bind', resource: roles, name: 'cluster-admin' },
      { verb: 'bind', resource: roles, name: 'internal-dns:crossplane' },
      { verb: 'escalate', resource: roles },
      { verb: 'create', resource: roles },
      { verb: 'update', resource: roles, name: 'internal-dns:source:ingress' },
      { verb: 'list', resource: 'networking.k8s.io/ingresses' },
      { verb: 'list', resource: 'gateway.networking.k8s.io/httproutes' },
      { verb: 'list', resource: 'nodes' },
      { verb: 'create', resource: 'pods:exec', namespace: 'internal-dns' },
      { verb: 'impersonate', resource: 'users' },
    ];
    for (const wish of tempting) expect([wish, await may(crossplane, wish)]).toEqual([wish, false]);
  });
}
