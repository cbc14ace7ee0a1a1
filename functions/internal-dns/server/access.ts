import { k8s } from 'cdk8s-plus-28';
import { Construct } from 'constructs';
import type { Instance } from '../instance.ts';
import { claimTemplate, eventsRole, type Names, selectorLabels, sourceRole } from '../names.ts';
import type { Spec } from '../spec.ts';
import { ingressOf } from './network.ts';
import { namespacesRole, rolesOf } from './roles.ts';

export interface AccessProps extends Instance {
  /** Whether the instance has the Secret of DNSSEC keys. */
  hasKeys: boolean;
  /** Whether the Role exists in the cluster. */
  roleExists: boolean;
}

/** The permissions of the pods in the cluster, and their NetworkPolicy. */
export class Access extends Construct {
  constructor(scope: Construct, id: string, { spec, names, labels, hasKeys, roleExists }: AccessProps) {
    super(scope, id);
    const { namespace } = spec;
    const metadata = { name: names.server, namespace, labels };
    const subjects = [{ kind: 'ServiceAccount', name: names.server, namespace }];
    new k8s.KubeServiceAccount(this, 'account', { metadata, automountServiceAccountToken: false });
    new k8s.KubeRole(this, 'role', {
      metadata,
      rules: rulesOf(spec, names, hasKeys),
    });
    // Crossplane applies resources in any order, and is not allowed to bind a Role that does not exist yet: one such
    // failure aborts its reconcile.
    if (roleExists) {
      new k8s.KubeRoleBinding(this, 'role-binding', {
        metadata,
        roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: names.server },
        subjects,
      });
    }
    const bindings = rolesOf(spec.discovery).map((role) => ({
      id: `source-${role}`,
      part: role,
      role: sourceRole(role),
    }));
    if (bindings.length > 0) bindings.push({ id: 'events', part: 'events', role: eventsRole });
    for (const binding of bindings) this.#bind(binding, { spec, names, labels, subjects });
    new k8s.KubeNetworkPolicy(this, 'network', {
      metadata,
      spec: {
        podSelector: { matchLabels: selectorLabels(names.composite) },
        policyTypes: ['Ingress'],
        ingress: ingressOf(spec),
      },
    });
  }

  /** Binds a ClusterRole in the whole cluster, or in each namespace of the spec. */
  #bind({ id, part, role }: Binding, { spec, names, labels, subjects }: Instance & { subjects: k8s.Subject[] }): void {
    // Used in namespaces, too: no object of another instance can have this name, even in a namespace that they share.
    const name = names.cluster(part);
    const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: role };
    const { namespaces } = spec.discovery;
    if (namespaces.length === 0 || part === namespacesRole) {
      new k8s.KubeClusterRoleBinding(this, id, { metadata: { name, labels }, roleRef, subjects });
      return;
    }
    for (const namespace of namespaces) {
      new k8s.KubeRoleBinding(this, `${id}-${namespace}`, {
        metadata: { name, namespace, labels },
        roleRef,
        subjects,
      });
    }
  }
}

/** The binding of a static ClusterRole. */
interface Binding {
  /** The construct id. */
  id: string;
  /** The last part of the binding's name. */
  part: string;
  role: string;
}

function rulesOf({ zones }: Spec, names: Names, hasKeys: boolean): k8s.PolicyRule[] {
  const rule = (resource: string, resourceNames: string[], ...verbs: string[]): k8s.PolicyRule => ({
    apiGroups: [''],
    resources: [resource],
    resourceNames,
    verbs,
  });
  const files = zones.flatMap(({ recordsFrom }) => recordsFrom.map(({ configMapKeyRef }) => configMapKeyRef.name));
  const read = [...new Set([names.declared, ...files])].sort();
  const claims = names.pods.map((pod) => `${claimTemplate}-${pod}`);
  return [
    rule('configmaps', read, 'get', 'list', 'watch'),
    rule('configmaps', [names.status], 'patch'),
    rule('configmaps', [names.kept], 'get', 'list', 'watch', 'patch'),
    rule('persistentvolumeclaims', claims, 'get', 'patch'),
    ...(hasKeys ? [rule('secrets', [names.dnssec], 'get', 'patch')] : []),
  ];
}
