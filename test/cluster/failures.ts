import { expect, test } from 'vitest';
import { figure } from './figures.ts';
import { apply, get, kubectl, patch, remove, until, waitFor } from './kubectl.ts';
import { type Client, clientOf, quiet, watchAnswers } from './names.ts';
import { ingress, shop } from './objects.ts';
import { besideExternalDNS, inPod, signalPowerDNS } from './pod.ts';

const pod = 'idns-corp-0';

async function restartsOf(container: string): Promise<number> {
  const { status } = await get('pod', pod, 'internal-dns');
  const all = [...status.initContainerStatuses, ...status.containerStatuses];
  return all.find(({ name }) => name === container).restartCount;
}

/** Waits until a container has been started again, and the whole answers for a new name. */
async function heals(client: Client, container: string, restarts: number, name: string): Promise<void> {
  await until(`${container} is started again`, 120, async () => (await restartsOf(container)) > restarts);
  await apply(ingress({ name, hosts: [`${name}.corp.internal`] }));
  figure(
    `${container} gone -> a new name answers`,
    await client.becomes(`${name}.corp.internal`, '198.51.100.200', 60),
  );
  await remove('ingress', name, shop);
  await client.becomes(`${name}.corp.internal`, 'NXDOMAIN', 30);
  await quiet('corp');
}

export function failures(): void {
  let client: Client;

  test('a name that must survive it all', async () => {
    client = await clientOf('corp');
    await apply(ingress({ name: 'stays', hosts: ['stays.corp.internal'] }));
    await client.becomes('stays.corp.internal', '198.51.100.200');
  });

  test('the agent is killed', async () => {
    const restarts = await restartsOf('agent');
    const watch = watchAnswers(client, 'stays.corp.internal', '198.51.100.200');
    // With the container's first process the kernel ends this one, too.
    await inPod(pod, 'agent', '/nodejs/bin/node', '-e', 'process.kill(1)').catch(() => '');
    await heals(client, 'agent', restarts, 'after-agent');
    expect((await watch.stop()).unanswered).toBe(0);
  });

  test('PowerDNS is killed', async () => {
    const restarts = await restartsOf('powerdns');
    const watch = watchAnswers(client, 'stays.corp.internal', '198.51.100.200');
    await signalPowerDNS(pod, 'KILL').catch(() => '');
    await heals(client, 'powerdns', restarts, 'after-powerdns');
    figure('PowerDNS killed: longest time without an answer', (await watch.stop()).longestGapSeconds);
  });

  test('ExternalDNS is killed', async () => {
    const restarts = await restartsOf('external-dns');
    const watch = watchAnswers(client, 'stays.corp.internal', '198.51.100.200');
    await besideExternalDNS(pod, 'kill 1');
    await heals(client, 'external-dns', restarts, 'after-external-dns');
    expect((await watch.stop()).unanswered).toBe(0);
  });

  test('the pod is deleted: the records are still there', async () => {
    const watch = watchAnswers(client, 'stays.corp.internal', '198.51.100.200');
    const start = performance.now();
    await kubectl('-n', 'internal-dns', 'delete', 'pod', pod);
    await until('the pod is ready again', 90, isReady);
    figure('pod deleted -> Ready', (performance.now() - start) / 1000);
    figure('pod deleted: longest time without an answer', (await watch.stop()).longestGapSeconds);
    expect(await client.answer('stays.corp.internal')).toBe('198.51.100.200');
    await quiet('corp');
  });

  test('the database file is destroyed: everything is rebuilt without help', async () => {
    const restarts = await restartsOf('powerdns');
    const start = performance.now();
    await inPod(pod, 'powerdns', 'sh', '-c', 'rm -f /var/lib/powerdns/pdns.sqlite3*');
    await until('PowerDNS is started again', 150, async () => (await restartsOf('powerdns')) > restarts);
    await client.becomes('stays.corp.internal', '198.51.100.200', 60);
    figure('database deleted -> answered from a new one', (performance.now() - start) / 1000);
    await quiet('corp');

    const again = await restartsOf('powerdns');
    await inPod(
      pod,
      'powerdns',
      'sh',
      '-c',
      'echo garbage >/var/lib/powerdns/pdns.sqlite3; rm -f /var/lib/powerdns/*-wal; kill 1',
    ).catch(() => '');
    await until('PowerDNS is started again', 60, async () => (await restartsOf('powerdns')) > again);
    await client.becomes('stays.corp.internal', '198.51.100.200', 60);
    await waitFor('Ready', 'internaldns/corp', 60);
    await quiet('corp');
  });

  test('a broken ExternalDNS image, then the right one: DNS answers throughout', async () => {
    const watch = watchAnswers(client, 'stays.corp.internal', '198.51.100.200');
    await patch('internaldns', 'corp', {
      spec: { images: { externalDNS: 'registry.k8s.io/external-dns/external-dns:v0.0.0' } },
    });
    await until('the pod waits for its image', 90, async () => {
      const { status } = await get('pod', pod, 'internal-dns');
      const { waiting } = status.containerStatuses?.[0]?.state ?? {};
      return /ErrImagePull|ImagePullBackOff/.test(waiting?.reason ?? '') || JSON.stringify(waiting);
    });
    await client.becomes('stays.corp.internal', '198.51.100.200');
    await until('the composite says so', 30, async () => {
      const { status } = await get('internaldns', 'corp');
      const reasons = Object.fromEntries(
        status.conditions.map((c: { type: string; reason: string }) => [c.type, c.reason]),
      );
      return (reasons.ServerReady === 'PodsNotReady' && reasons.Ready === 'Creating') || reasons;
    });
    await patch('internaldns', 'corp', { spec: { images: { externalDNS: null } } });
    figure('image corrected -> Ready, no pod deleted by hand', await waitFor('Ready', 'internaldns/corp', 120));
    const { longestGapSeconds, asked, unanswered } = await watch.stop();
    figure(
      'two image changes: unanswered',
      `${unanswered} of ${asked}, longest gap ${longestGapSeconds.toFixed(2)} s`,
      '',
    );
    expect(longestGapSeconds).toBeLessThan(30);
    await quiet('corp');
    await remove('ingress', 'stays', shop);
  });
}

/** Whether the pod is ready and, if not, what it is at. */
async function isReady(): Promise<true | string> {
  const { status, metadata } = await get('pod', pod, 'internal-dns');
  const isTrue = status.conditions?.some(
    (c: { type: string; status: string }) => c.type === 'Ready' && c.status === 'True',
  );
  if (isTrue && !metadata.deletionTimestamp) return true;
  const containers = [...(status.initContainerStatuses ?? []), ...(status.containerStatuses ?? [])];
  const states = containers.map(
    ({ name, ready, restartCount, state }) => `${name} ${ready ? 'ready' : JSON.stringify(state)} x${restartCount}`,
  );
  return [metadata.deletionTimestamp ? 'terminating' : status.phase, ...states].join(', ');
}
