import { expect, test } from 'vitest';
import { ports } from '../../functions/internal-dns/names.ts';
import { apply, get, kubectl, list, until, waitForReady } from './cluster/kubectl.ts';
import { anotherLoop } from './cluster/loops.ts';
import { target } from './cluster/objects.ts';
import { functionName } from './cluster/packages.ts';
import { containerOf } from './cluster/pod.ts';
import { forward } from './cluster/port-forward.ts';
import { tableAt } from './cluster/reported-names.ts';
import { startPod } from './cluster/resolver.ts';
import { scenario } from './scenario.ts';

const zone = 'network.internal';
const host = `web.${zone}`;
const pod = 'idns-network-0';
/** A port that no server listens on. */
const other = 9999;
const listening = `require('node:net').createServer((socket) => socket.end()).listen(${other}, '::')`;

/** What a NetworkPolicy lets through to a server, from other Pods: a node can always reach its own Pods. */
scenario('network', ({ shop, market, ingress, internalDNS }) => {
  const [client, reader, prometheus] = [`${shop}/client`, `${shop}/reader`, `${market}/prometheus`];

  /** Runs a script in a Pod; returns its output. */
  const runIn = async (from: string, script: string): Promise<string> => {
    const [namespace, name] = from.split('/') as [string, string];
    return (await kubectl('-n', namespace, 'exec', name, '--', '/nodejs/bin/node', '-e', script)).trim();
  };

  /** `open`, or why there is no connection. */
  const connection = (from: string, address: string, port: number) =>
    runIn(
      from,
      `const socket = require('node:net').connect(${port}, '${address}');
      const end = (result) => { console.log(result); process.exit(); };
      socket.on('connect', () => end('open')).on('error', ({ code }) => end(code));
      setTimeout(end, 5_000, 'no answer');`,
    );

  const inNamespace = (name: string) => ({ matchLabels: { 'kubernetes.io/metadata.name': name } });

  test('DNS is open to every Pod', async () => {
    await apply(
      internalDNS('network', {
        zones: [{ name: zone }],
        statusPage: {
          from: [{ namespaceSelector: inNamespace(shop), podSelector: { matchLabels: { app: 'reader' } } }],
        },
        monitoring: { namespaceSelector: inNamespace(market) },
      }),
      ingress({ name: 'web', hosts: [host], annotations: { [target]: '192.0.2.1' } }),
    );
    await waitForReady('network');
    await anotherLoop('network');
    const { image } = await containerOf(pod, 'agent');
    const dns = { nameservers: [(await get('internaldns', 'network')).status.address] };
    await Promise.all([
      startPod(shop, 'client', image, dns),
      startPod(shop, 'reader', image, dns, { app: 'reader' }),
      startPod(market, 'prometheus', image, dns),
    ]);
    const lookup = `require('node:dns').lookup('${host}', (error, address) => console.log(error?.code ?? address))`;
    const { podIP } = (await get('pod', pod, 'internal-dns')).status;
    for (const from of [client, reader, prometheus]) {
      await until(`${from} resolves the name`, async () => (await runIn(from, lookup)) === '192.0.2.1');
      expect(await connection(from, podIP, ports.dns)).toBe('open');
    }
  });

  test('the status page and the metrics are open to the Pods in the spec', async () => {
    const { podIP } = (await get('pod', pod, 'internal-dns')).status;
    expect(await connection(reader, podIP, ports.agent)).toBe('open');
    expect(await connection(prometheus, podIP, ports.agent)).toBe('open');
    expect(await connection(prometheus, podIP, ports.externalDNS)).toBe('open');
  });

  test('kubectl port-forward reaches the status page without an entry in the spec', async () => {
    const { ports: local, child } = await forward('svc/idns-network-status', ports.agent);
    try {
      const { names } = await tableAt(`http://127.0.0.1:${local[0]}`, host);
      expect(names.map(({ verdict }) => verdict)).toEqual(['Resolved']);
    } finally {
      child.kill();
    }
  });

  test('no other port is open', async (context) => {
    const { status } = await get('pod', pod, 'internal-dns');
    const { image } = await containerOf(pod, 'agent');
    const policy = { podSelector: { matchLabels: { app: 'closed' } }, policyTypes: ['Ingress'] };
    await apply(
      {
        apiVersion: 'networking.k8s.io/v1',
        kind: 'NetworkPolicy',
        metadata: { name: 'closed', namespace: shop },
        spec: policy,
      },
      {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name: 'closed', namespace: shop, labels: { app: 'closed' } },
        spec: { containers: [{ name: 'node', image, command: ['/nodejs/bin/node', '-e', listening] }] },
      },
    );
    await kubectl('-n', shop, 'wait', '--for=condition=Ready', 'pod/closed', '--timeout=300s');
    const closed = await connection(client, (await get('pod', 'closed', shop)).status.podIP, other);
    if (closed === 'open') context.skip('the cluster does not enforce NetworkPolicies: use one that does');

    await kubectl(
      ...['-n', 'internal-dns', 'debug', pod, `--image=${image}`, '--profile=restricted', '-c', 'listener'],
      ...['--', '/nodejs/bin/node', '-e', listening],
    );
    const inside = `require('node:net').connect(${other}, '127.0.0.1', () => process.exit()).on('error', () => process.exit(1))`;
    await until('the listener in the pod accepts connections', async () => {
      await kubectl('-n', 'internal-dns', 'exec', pod, '-c', 'agent', '--', '/nodejs/bin/node', '-e', inside);
      return true;
    });
    const [called] = await list('pod', {
      namespace: 'crossplane-system',
      labels: `pkg.crossplane.io/function=${functionName}`,
    });
    const closedTo: [from: string, address: string, port: number][] = [
      ...[client, reader, prometheus].map((from) => [from, status.podIP, other] as [string, string, number]),
      ...[client, reader, prometheus].map((from) => [from, status.podIP, ports.probes] as [string, string, number]),
      [client, status.podIP, ports.agent],
      [client, status.podIP, ports.externalDNS],
      [reader, status.podIP, ports.externalDNS],
      [client, called?.status.podIP, 9443],
      [client, called?.status.podIP, 8080],
    ];
    const seen = await Promise.all(closedTo.map((each) => connection(...each)));
    expect(seen).toEqual(closedTo.map(() => 'no answer'));
  });
});
