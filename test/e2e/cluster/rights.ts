/** What accounts may do, as the API server has it. */
import { createAs } from './kubectl.ts';

export interface Access {
  verb: string;
  /** Before a slash the group, which core resources have none of: `networking.k8s.io/ingresses`, `pods:exec`. */
  resource: string;
  name?: string;
  namespace?: string;
}

/** What the API server would answer to a request of this account. */
export async function may(account: string, { verb, resource, name, namespace }: Access): Promise<boolean> {
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
