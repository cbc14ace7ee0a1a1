/** Permissions of accounts, from the API server. */
import { createAs } from './kubectl.ts';

export interface Access {
  verb: string;
  /** `GROUP/RESOURCE`, or `RESOURCE` of the core group, with an optional `:SUBRESOURCE`: `pods:exec`. */
  resource: string;
  name?: string;
  namespace?: string;
}

/** Whether an account is allowed to make a request, as `kubectl auth can-i` reports it. */
export async function canI(account: string, { verb, resource, name, namespace }: Access): Promise<boolean> {
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

/** Everything that an account may do in a namespace and cluster-wide, except for self-reviews: `verb group/resource name` each. */
export async function permissionsOf(account: string, namespace: string): Promise<string[]> {
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
  return lines.filter((line) => !isSelfReview(line));
}

/** Every account may review itself: https://kubernetes.io/docs/reference/access-authn-authz/rbac/#discovery-roles */
const isSelfReview = (line: string) => / (authorization|authentication)\.k8s\.io\/self/.test(line);
