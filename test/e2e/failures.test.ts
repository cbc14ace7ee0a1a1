import { expect, test } from 'vitest';
import { watchForwarder } from './cluster/forwarder.ts';
import { apply, get, isTrue, kubectl, patch, remove, until, waitForReady } from './cluster/kubectl.ts';
import { type Client, clientOf } from './cluster/names.ts';
import { target } from './cluster/objects.ts';
import { debugExternalDNS, inPod, signalPowerDNS } from './cluster/pod.ts';
import { scenario } from './scenario.ts';

const zone = 'failures.internal';
const at = (name: string) => `${name}.${zone}`;
const pod = 'idns-failures-0';
const address = '192.0.2.1';

async function restartsOf(container: string): Promise<number> {
  const { status } = await get('pod', pod, 'internal-dns');
  const all = [...status.initContainerStatuses, ...status.containerStatuses];
  return all.find(({ name }) => name === container).restartCount;
}

scenario('failures', ({ shop, ingress, internalDNS }) => {
  let client: Client;
  const fixed = (name: string) => ingress({ name, hosts: [at(name)], annotations: { [target]: address } });

  /** Waits until a container has been started again, and the whole answers for a new name. */
  async function heals(container: string, restarts: number, name: string): Promise<void> {
    await until(`${container} is started again`, async () => (await restartsOf(container)) > restarts);
    await apply(fixed(name));
    await client.becomes(at(name), address);
    await remove('ingress', name, shop);
    await client.becomes(at(name), 'NXDOMAIN');
  }

  test('a name that must survive it all', async () => {
    await apply(internalDNS('failures', { zones: [{ name: zone }] }), fixed('stays'));
    await waitForReady('failures');
    client = await clientOf('failures');
    await client.becomes(at('stays'), address);
  });

  test('the agent is killed', async () => {
    const restarts = await restartsOf('agent');
    const forwarder = await watchForwarder('failures', at('stays'), address);
    // With the container's first process the kernel ends this one, too.
    await inPod(pod, 'agent', '/nodejs/bin/node', '-e', 'process.kill(1)').catch(() => '');
    await heals('agent', restarts, 'after-agent');
    expect(Math.max(...(await forwarder.stop()))).toBe(0);
  });

  test('PowerDNS is killed', async () => {
    const restarts = await restartsOf('powerdns');
    await signalPowerDNS(pod, 'KILL').catch(() => '');
    await heals('powerdns', restarts, 'after-powerdns');
    expect(await client.answer(at('stays'))).toBe(address);
  });

  test('ExternalDNS is killed', async () => {
    const restarts = await restartsOf('external-dns');
    const forwarder = await watchForwarder('failures', at('stays'), address);
    await debugExternalDNS(pod, 'kill 1');
    await heals('external-dns', restarts, 'after-external-dns');
    expect(Math.max(...(await forwarder.stop()))).toBe(0);
  });

  test('the pod is deleted: the records are still there', async () => {
    await kubectl('-n', 'internal-dns', 'delete', 'pod', pod);
    await until('the pod is ready again', isReady);
    expect(await client.answer(at('stays'))).toBe(address);
  });

  test('the database file is destroyed: everything is rebuilt without help', async () => {
    const restarts = await restartsOf('powerdns');
    await inPod(pod, 'powerdns', 'sh', '-c', 'rm -f /var/lib/powerdns/pdns.sqlite3*');
    await until('PowerDNS is started again', async () => (await restartsOf('powerdns')) > restarts);
    await client.becomes(at('stays'), address);

    const again = await restartsOf('powerdns');
    await inPod(
      pod,
      'powerdns',
      'sh',
      '-c',
      'echo garbage >/var/lib/powerdns/pdns.sqlite3; rm -f /var/lib/powerdns/*-wal; kill 1',
    ).catch(() => '');
    await until('PowerDNS is started again', async () => (await restartsOf('powerdns')) > again);
    await client.becomes(at('stays'), address);
    await waitForReady('failures');
  });

  test('a broken ExternalDNS image, then the right one: DNS answers throughout', async () => {
    await patch('internaldns', 'failures', {
      spec: { images: { externalDNS: 'registry.k8s.io/external-dns/external-dns:v0.0.0' } },
    });
    await until('the pod waits for its image', async () => {
      const { status } = await get('pod', pod, 'internal-dns');
      const { waiting } = status.containerStatuses?.[0]?.state ?? {};
      return /ErrImagePull|ImagePullBackOff/.test(waiting?.reason ?? '') || JSON.stringify(waiting);
    });
    await client.becomes(at('stays'), address);
    await until('the composite says so', async () => {
      const { status } = await get('internaldns', 'failures');
      const reasons = Object.fromEntries(
        status.conditions.map((c: { type: string; reason: string }) => [c.type, c.reason]),
      );
      return (reasons.ServerReady === 'PodsNotReady' && reasons.Ready === 'Creating') || reasons;
    });
    await patch('internaldns', 'failures', { spec: { images: { externalDNS: null } } });
    // No pod had to be deleted by hand.
    await waitForReady('failures');
    expect(await client.answer(at('stays'))).toBe(address);
  });
});

/** Whether the pod is ready and, if not, what it is at. */
async function isReady(): Promise<true | string> {
  const object = await get('pod', pod, 'internal-dns');
  const { status, metadata } = object;
  if (isTrue(object, 'Ready') && !metadata.deletionTimestamp) return true;
  const containers = [...(status.initContainerStatuses ?? []), ...(status.containerStatuses ?? [])];
  const states = containers.map(
    ({ name, ready, restartCount, state }) => `${name} ${ready ? 'ready' : JSON.stringify(state)} x${restartCount}`,
  );
  return [metadata.deletionTimestamp ? 'terminating' : status.phase, ...states].join(', ');
}
