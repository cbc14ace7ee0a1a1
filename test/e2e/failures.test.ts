import { expect, test } from 'vitest';
import type { KubernetesObject } from '../../functions/cdk8s-function-xp/composition.ts';
import { lookSeconds } from '../../functions/internal-dns/server/powerdns.ts';
import { figure } from './cluster/figures.ts';
import { watchForwarder } from './cluster/forwarder.ts';
import { apply, condition, get, isTrue, kubectl, list, patch, remove, until, waitForReady } from './cluster/kubectl.ts';
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

  const untilRestarted = (container: string, restarts: number) =>
    until(`${container} has restarted`, async () => (await restartsOf(container)) > restarts);

  /** Waits until a container has restarted and a new name is answered. */
  async function waitForRecovery(container: string, restarts: number, name: string): Promise<void> {
    await untilRestarted(container, restarts);
    await apply(fixed(name));
    await client.becomes(at(name), address);
    await remove('ingress', name, shop);
    await client.becomes(at(name), 'NXDOMAIN');
  }

  test('a name is published that must survive all failures', async () => {
    await apply(internalDNS('failures', { zones: [{ name: zone }] }), fixed('stays'));
    await waitForReady('failures');
    client = await clientOf('failures');
    await client.becomes(at('stays'), address);
  });

  test('the agent recovers from a kill, and no query is lost', async () => {
    const restarts = await restartsOf('agent');
    const forwarder = await watchForwarder('failures', at('stays'), address);
    // The kernel also kills this process, with process 1 of the container.
    await inPod(pod, 'agent', '/nodejs/bin/node', '-e', 'process.kill(1)').catch(() => '');
    await waitForRecovery('agent', restarts, 'after-agent');
    expect(Math.max(...(await forwarder.stop()))).toBe(0);
  });

  test('PowerDNS recovers from a kill with its records', async () => {
    const restarts = await restartsOf('powerdns');
    await signalPowerDNS(pod, 'KILL').catch(() => '');
    await waitForRecovery('powerdns', restarts, 'after-powerdns');
    expect(await client.answer(at('stays'))).toBe(address);
  });

  test('ExternalDNS recovers from a kill, and no query is lost', async () => {
    const restarts = await restartsOf('external-dns');
    const forwarder = await watchForwarder('failures', at('stays'), address);
    await debugExternalDNS(pod, 'kill 1');
    await waitForRecovery('external-dns', restarts, 'after-external-dns');
    expect(Math.max(...(await forwarder.stop()))).toBe(0);
  });

  test('records survive the deletion of the pod', async () => {
    await kubectl('-n', 'internal-dns', 'delete', 'pod', pod);
    await until('the pod is ready again', isReady);
    expect(await client.answer(at('stays'))).toBe(address);
  });

  test('records are restored after the database file was deleted or corrupted', async () => {
    const restarts = await restartsOf('powerdns');
    await inPod(pod, 'powerdns', 'sh', '-c', 'rm -f /var/lib/powerdns/pdns.sqlite3*');
    const seconds = await untilRestarted('powerdns', restarts);
    figure('database deleted -> PowerDNS restarted', seconds);
    // Before a look at whether the database can be read, that is by the file itself.
    expect(seconds).toBeLessThan(lookSeconds.sound);
    await client.becomes(at('stays'), address);

    const again = await restartsOf('powerdns');
    await inPod(
      pod,
      'powerdns',
      'sh',
      '-c',
      'echo garbage >/var/lib/powerdns/pdns.sqlite3; rm -f /var/lib/powerdns/*-wal; kill 1',
    ).catch(() => '');
    await untilRestarted('powerdns', again);
    await client.becomes(at('stays'), address);
    await waitForReady('failures');
  });

  test('DNS answers with a broken ExternalDNS image, and the right image needs no manual step', async () => {
    await patch('internaldns', 'failures', {
      spec: { images: { externalDNS: 'registry.k8s.io/external-dns/external-dns:v0.0.0' } },
    });
    await until('the image cannot be pulled', async () => {
      const { status } = await get('pod', pod, 'internal-dns');
      const { waiting } = status.containerStatuses?.[0]?.state ?? {};
      return /ErrImagePull|ImagePullBackOff/.test(waiting?.reason ?? '') || JSON.stringify(waiting);
    });
    await client.becomes(at('stays'), address);
    await until('the composite is not ready', async () => {
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

  test('a StorageClass that does not exist is named until it is created', async () => {
    const [instance, storageClassName] = ['failures-volume', 'e2e-none-such'];
    const [present] = (await list('storageclass')) as [KubernetesObject];
    await apply(
      internalDNS(instance, { zones: [{ name: 'failures-volume.internal' }], storage: { storageClassName } }),
    );
    await until('ServerReady names the StorageClass', async () => {
      const { status, reason, message = '' } = await condition(instance, 'ServerReady');
      const isNamed = message.includes(`StorageClass "${storageClassName}" does not exist: create it`);
      return (status === 'False' && reason === 'NoStorageClass' && isNamed) || message;
    });
    const { apiVersion, kind, provisioner, parameters } = present;
    await apply({
      apiVersion,
      kind,
      metadata: { name: storageClassName },
      provisioner,
      ...(parameters && { parameters }),
    });
    try {
      // Whether there is a volume now is up to the provisioner.
      await until('ServerReady names it no longer', async () => {
        const { reason } = await condition(instance, 'ServerReady');
        return reason !== 'NoStorageClass' || reason;
      });
      await remove('internaldns', instance);
    } finally {
      await remove('storageclass', storageClassName);
    }
  });
});

/** True when the pod is ready, or else the state of its containers. */
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
