/** What is between a server and its clients: a caching resolver, and Pods with a DNS configuration. */
import { apply, get, isTrue, list, until } from './kubectl.ts';
import { clientAt } from './names.ts';

/** The address of the cluster DNS. */
export async function clusterDNS(): Promise<string> {
  return (await get('service', 'kube-dns', 'kube-system')).spec.clusterIP;
}

/**
 * Starts a resolver as in a LAN, which forwards queries of a zone to `server` and all others to the cluster DNS. Caches only the
 * answers of the zone. Returns its address.
 */
export async function startResolver(namespace: string, name: string, zone: string, server: string): Promise<string> {
  const block = `${zone}:53 {
    errors
    cache
    forward . ${server}
}`;
  return startCoreDNS(namespace, name, zone, block);
}

/**
 * Starts a CoreDNS with a server block for a zone, which asks the cluster DNS for everything else. Returns its address, when
 * it answers for the zone.
 */
export async function startCoreDNS(namespace: string, name: string, zone: string, block: string): Promise<string> {
  const [own] = await list('pod', { namespace: 'kube-system', labels: 'k8s-app=kube-dns' });
  const metadata = { name, namespace, labels: { app: name } };
  const corefile = `
${block}
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
  // kube-proxy takes a moment to route to a ready Pod.
  await until('the resolver answers', async () => (await clientAt(clusterIP).answer(zone, 'SOA')) !== 'SERVFAIL');
  return clusterIP;
}

/** Starts a Pod with Node.js and this `dnsConfig` as its `/etc/resolv.conf`. */
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
