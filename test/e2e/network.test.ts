import { expect, test } from 'vitest';
import { apply, get, kubectl, until, waitForReady } from './cluster/kubectl.ts';
import { anotherLoop } from './cluster/loops.ts';
import { target } from './cluster/objects.ts';
import { containerOf } from './cluster/pod.ts';
import { startPod } from './cluster/resolver.ts';
import { scenario } from './scenario.ts';

const zone = 'network.internal';
const host = `web.${zone}`;
const pod = 'idns-network-0';
/** Nothing of a server listens there. */
const other = 9999;
const listening = `require('node:net').createServer((socket) => socket.end()).listen(${other}, '::')`;

/** What the network lets through to a server, asked from a Pod of somebody else: a node may always reach its own Pods. */
scenario('network', ({ shop, ingress, internalDNS }) => {
  /** Runs a script in the Pod `client`, and gives what it prints. */
  const asked = async (script: string): Promise<string> =>
    (await kubectl('-n', shop, 'exec', 'client', '--', '/nodejs/bin/node', '-e', script)).trim();

  /** `open`, or why there is no connection. */
  const connection = (address: string, port: number) =>
    asked(`const socket = require('node:net').connect(${port}, '${address}');
      const end = (words) => { console.log(words); process.exit(); };
      socket.on('connect', () => end('open')).on('error', ({ code }) => end(code));
      setTimeout(end, 5_000, 'no answer');`);

  test('DNS, the status page and the metrics are open to every Pod', async () => {
    await apply(
      internalDNS('network', { zones: [{ name: zone }] }),
      ingress({ name: 'web', hosts: [host], annotations: { [target]: '192.0.2.1' } }),
    );
    await waitForReady('network');
    await anotherLoop('network');
    const { status } = await get('pod', pod, 'internal-dns');
    const { image } = await containerOf(pod, 'agent');
    await startPod(shop, 'client', image, { nameservers: [(await get('internaldns', 'network')).status.address] });
    const resolved = `require('node:dns').lookup('${host}', (error, address) => console.log(error?.code ?? address))`;
    await until('the Pod resolves the name', async () => (await asked(resolved)) === '192.0.2.1');
    const ports = [5353, 8080, 7979];
    const seen = await Promise.all(ports.map((port) => connection(status.podIP, port)));
    expect(seen).toEqual(ports.map(() => 'open'));
  });

  test('nothing else is open', async (context) => {
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
    const closed = await connection((await get('pod', 'closed', shop)).status.podIP, other);
    if (closed === 'open') context.skip('the cluster enforces no NetworkPolicy: use one that does');

    await kubectl(
      ...['-n', 'internal-dns', 'debug', pod, `--image=${image}`, '--profile=restricted', '-c', 'listener'],
      ...['--', '/nodejs/bin/node', '-e', listening],
    );
    const inside = `require('node:net').connect(${other}, '127.0.0.1', () => process.exit()).on('error', () => process.exit(1))`;
    await until('something listens in the pod', async () => {
      await kubectl('-n', 'internal-dns', 'exec', pod, '-c', 'agent', '--', '/nodejs/bin/node', '-e', inside);
      return true;
    });
    expect(await connection(status.podIP, other)).toBe('no answer');
  });
});
