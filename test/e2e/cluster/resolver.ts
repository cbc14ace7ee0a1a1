/** What stands between a server and those who ask: a caching resolver, and Pods whose DNS is set up in some way. */
import { apply, get, isTrue, list, until } from './kubectl.ts';
import { clientAt } from './names.ts';

/** The address of the cluster's own DNS. */
export async function clusterDNS(): Promise<string> {
  return (await get('service', 'kube-dns', 'kube-system')).spec.clusterIP;
}

/**
 * Starts a resolver as a LAN has one, which asks `server` for the names of a zone and the cluster's own DNS for all others.
 * Gives its address. Only the answers of the zone are cached.
 */
export async function startResolver(namespace: string, name: string, zone: string, server: string): Promise<string> {
  const [own] = await list('pod', '-n', 'kube-system', '-l', 'k8s-app=kube-dns');
  const metadata = { name, namespace, labels: { app: name } };
  const corefile = `
${zone}:53 {
    errors
    cache
    forward . ${server}
}
.:53 {
    errors
    ready
    forward . ${await clusterDNS()}
}
`;
  const ports = ['UDP', 'TCP'].map((protocol) => ({ name: protocol.toLowerCase(), protocol, port: 53 }));
  await apply(
    { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { Corefile: corefile } },
    {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata,
      spec: {
        dnsPolicy: 'Default',
        containers: [
          {
            name: 'coredns',
            image: own?.spec.containers[0].image,
            args: ['-conf', '/etc/coredns/Corefile'],
            readinessProbe: { httpGet: { path: '/ready', port: 8181 }, periodSeconds: 1 },
            volumeMounts: [{ name: 'corefile', mountPath: '/etc/coredns' }],
          },
        ],
        volumes: [{ name: 'corefile', configMap: { name } }],
      },
    },
    { apiVersion: 'v1', kind: 'Service', metadata, spec: { selector: { app: name }, ports } },
  );
  const { clusterIP } = (await get('service', name, namespace)).spec;
  // kube-proxy hears of a ready Pod a moment later.
  await until('the resolver answers', async () => (await clientAt(clusterIP).answer(zone, 'SOA')) !== 'SERVFAIL');
  return clusterIP;
}

/** What `/etc/resolv.conf` says, in a Pod with Node.js; `dnsConfig` is as Kubernetes has it. */
export async function startPod(
  namespace: string,
  name: string,
  image: string,
  dnsConfig: object,
  labels: Record<string, string> = {},
): Promise<void> {
  const command = ['/nodejs/bin/node', '-e', 'setInterval(() => {}, 60_000)'];
  await apply({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace, labels },
    spec: {
      terminationGracePeriodSeconds: 0,
      dnsPolicy: 'None',
      dnsConfig,
      containers: [{ name: 'node', image, command }],
    },
  });
  await untilReady(namespace, name);
}

async function untilReady(namespace: string, pod: string): Promise<void> {
  await until(`pod ${pod} is ready`, async () => {
    return isTrue(await get('pod', pod, namespace), 'Ready');
  });
}
