import { hostAndPort, lines, namesOf, type Program, type Target } from './program.ts';

/** https://coredns.io/plugins/forward/ */
function serverBlock({ zones, servers }: Target): string {
  return lines(
    `${namesOf(zones)
      .map((name) => `${name}:53`)
      .join(' ')} {`,
    '    errors',
    '    cache 30',
    `    forward . ${servers.map(hostAndPort).join(' ')}${servers.length > 1 ? ' {' : ''}`,
    // A server that failed is not asked again before it answers a health check.
    ...(servers.length > 1 ? ['        max_fails 1', '    }'] : []),
    '}',
  );
}

/** https://kubernetes.io/docs/tasks/administer-cluster/dns-custom-nameservers/#kube-dns */
function stubDomains({ zones, servers }: Target): string {
  const addresses = JSON.stringify(servers.map(hostAndPort));
  return lines(
    'apiVersion: v1',
    'kind: ConfigMap',
    'metadata:',
    '  name: kube-dns',
    '  namespace: kube-system',
    'data:',
    '  stubDomains: |',
    '    {',
    namesOf(zones).map((name, i) => `      "${name}": ${addresses}${i < zones.length - 1 ? ',' : ''}`),
    '    }',
  );
}

const indented = (text: string, spaces: number) => text.replaceAll(/^/gm, ' '.repeat(spaces));

/** How the pods of a cluster resolve. */
export const clusterDNS: Program[] = [
  {
    id: 'coredns',
    name: 'CoreDNS',
    ports: 'Any',
    steps: (target) => [
      {
        text: 'Add a block at the end of the Corefile (kubectl -n kube-system edit configmap coredns), which CoreDNS reads again within a minute or two:',
        code: serverBlock(target),
      },
    ],
  },
  {
    id: 'coredns-custom',
    name: 'CoreDNS of k3s and AKS',
    ports: 'Any',
    steps: (target) => [
      {
        // https://learn.microsoft.com/azure/aks/coredns-custom, https://docs.k3s.io/networking/networking-services
        text: 'Both rewrite the Corefile, and include what is in another ConfigMap. Apply it; if it exists, add the key to it.',
        code: lines(
          'apiVersion: v1',
          'kind: ConfigMap',
          'metadata:',
          '  name: coredns-custom',
          '  namespace: kube-system',
          'data:',
          '  internal-dns.server: |',
          indented(serverBlock(target), 4),
        ),
      },
      { text: 'Then restart CoreDNS:', code: 'kubectl -n kube-system rollout restart deployment coredns' },
    ],
  },
  {
    id: 'eks',
    name: 'CoreDNS add-on of EKS',
    ports: 'Any',
    steps: (target) => [
      {
        // https://docs.aws.amazon.com/eks/latest/userguide/managing-coredns.html
        text: 'The add-on overwrites the Corefile unless it is in the configuration of the add-on. Append the block to the present one there; what else the configuration has (aws eks describe-addon shows it) must be in values.json, too.',
        code: lines(
          "kubectl -n kube-system get configmap coredns -o jsonpath='{.data.Corefile}' > Corefile",
          "cat >> Corefile <<'EOF'",
          '',
          serverBlock(target),
          'EOF',
          "jq --null-input --rawfile corefile Corefile '{corefile: $corefile}' > values.json",
          'aws eks update-addon --cluster-name CLUSTER --addon-name coredns --configuration-values file://values.json --resolve-conflicts OVERWRITE',
        ),
      },
    ],
  },
  {
    id: 'kube-dns',
    name: 'kube-dns',
    ports: 'Any',
    steps: (target) => [
      {
        text: 'As in Standard clusters of GKE without Cloud DNS. Apply it; if the ConfigMap exists, add the domains to its stubDomains.',
        code: stubDomains(target),
      },
    ],
  },
  {
    id: 'nodelocal-dns',
    name: 'NodeLocal DNSCache',
    ports: 'Any',
    steps: (target) => [
      {
        // https://github.com/kubernetes/dns/blob/1.26.5/cmd/node-cache/app/configmap.go
        text: "It sends names outside the cluster to the node's resolvers, not to CoreDNS, so it needs the zones, too. It reads them from the ConfigMap of kube-dns, also beside CoreDNS, and must be restarted if that did not exist before (kubectl -n kube-system rollout restart daemonset node-local-dns).",
        code: stubDomains(target),
      },
    ],
  },
];
