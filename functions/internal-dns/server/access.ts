import { k8s } from 'cdk8s-plus-28';
import { Construct } from 'constructs';
import type { Instance } from '../instance.ts';
import { claimOf, eventsRole, type Names, selectorLabels, sourceRole } from '../names.ts';
import { hasNodePorts } from '../resolver/declaration.ts';
import { hasDisruptionBudget } from '../resolver/pods.ts';
import type { Spec } from '../spec.ts';
import { declaredSplitDNS } from '../tailnet/split-dns.ts';
import { ingressOf } from './network.ts';
import { clusterRoles, rolesOf } from './roles.ts';

export interface AccessProps extends Instance {
  /** Whether the instance has the Secret of DNSSEC keys. */
  hasKeys: boolean;
  /** Whether the Role exists in the cluster. */
  roleExists: boolean;
  /** Whether only the resolver and agents may ask the server. */
  isBehindResolver?: boolean;
}

/** The permissions of the pods in the cluster, and their NetworkPolicy. */
export class Access extends Construct {
  constructor(scope: Construct, id: string, { spec, names, labels, ...props }: AccessProps) {
    super(scope, id);
    const { hasKeys, roleExists, isBehindResolver } = props;
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
        ingress: ingressOf(spec, { behindResolver: isBehindResolver ? names.composite : undefined }),
      },
    });
  }

  /** Binds a ClusterRole in the whole cluster, or in each namespace of the spec. */
  #bind({ id, part, role }: Binding, { spec, names, labels, subjects }: Instance & { subjects: k8s.Subject[] }): void {
    // Used in namespaces, too: no object of another instance can have this name, even in a namespace that they share.
    const name = names.cluster(part);
    const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: role };
    const { namespaces } = spec.discovery;
    if (namespaces.length === 0 || clusterRoles.includes(part)) {
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

function rulesOf(spec: Spec, names: Names, hasKeys: boolean): k8s.PolicyRule[] {
  const rule = (resource: string, resourceNames: string[], ...verbs: string[]): k8s.PolicyRule => ({
    apiGroups: [''],
    resources: [resource],
    resourceNames,
    verbs,
  });
  const files = spec.zones.flatMap(({ recordsFrom }) => recordsFrom.map(({ configMapKeyRef }) => configMapKeyRef.name));
  const read = [...new Set([names.declared, ...files])].sort();
  const splitDNS = declaredSplitDNS(spec, names);
  return [
    rule('configmaps', read, 'get', 'list', 'watch'),
    rule('configmaps', [names.status], 'patch'),
    rule('configmaps', [names.kept], 'get', 'list', 'watch', 'patch'),
    ...(spec.storage.type === 'Volume'
      ? [rule('persistentvolumeclaims', names.pods.map(claimOf), 'get', 'patch')]
      : []),
    // A replica that gets no answer from another one takes it out of the Services.
    ...(spec.replicas > 1 ? [rule('pods', names.pods, 'get'), rule('pods/status', names.pods, 'patch')] : []),
    // EndpointSlices have generated names, so that only all of them could be granted. Endpoints are deprecated, but stay:
    // https://kubernetes.io/blog/2025/04/24/endpoints-deprecation/
    ...(spec.resolver ? [rule('endpoints', [names.resolver], 'get', 'list', 'watch')] : []),
    // The pods of a Deployment have generated names. An eviction is the least that takes one of a dead node out of its
    // Services, and never the last one: https://kubernetes.io/docs/concepts/scheduling-eviction/api-eviction/
    ...(spec.resolver && hasDisruptionBudget(spec.resolver)
      ? [{ apiGroups: [''], resources: ['pods/eviction'], verbs: ['create'] }]
      : []),
    // Their nodes are where clients come to.
    ...(spec.resolver && hasNodePorts(spec) ? [{ apiGroups: [''], resources: ['pods'], verbs: ['get'] }] : []),
    ...(hasKeys ? [rule('secrets', [names.dnssec], 'get', 'patch')] : []),
    ...(splitDNS
      ? [
          rule('configmaps', [names.tailnet], 'get', 'patch'),
          rule('secrets', [splitDNS.secret], 'get'),
          rule('services', [splitDNS.service], 'get', 'list', 'watch'),
        ]
      : []),
  ];
}
