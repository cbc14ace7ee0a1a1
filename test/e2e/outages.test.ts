import { expect, test } from 'vitest';
import { edit } from './cluster/edit.ts';
import { apply, condition, get, until, waitForReady } from './cluster/kubectl.ts';
import { withDisturbance } from './cluster/loops.ts';
import { type Client, clientOf } from './cluster/names.ts';
import { target } from './cluster/objects.ts';
import { signalPowerDNS } from './cluster/pod.ts';
import { scenario } from './scenario.ts';

const zone = 'outage.internal';

/** The status names the part that is down, and when it is back. */
scenario('outages', ({ ingress, internalDNS }) => {
  let client: Client;
  const name = `stays.${zone}`;

  /** Waits until the composite's status has this state. */
  const waitForState = (state: string, ready: string) =>
    until(`the state is ${state}`, async () => {
      const { resolution } = (await get('internaldns', 'outage')).status;
      const isReady = (await condition('outage', 'Ready')).status;
      return (resolution?.state === state && isReady === ready) || { resolution, isReady };
    });

  test('a healthy instance reports Serving', async () => {
    await apply(
      internalDNS('outage', { zones: [{ name: zone }], discovery: { sources: [{ kind: 'Ingress' }] } }),
      ingress({ name: 'stays', hosts: [name], annotations: { [target]: '192.0.2.1' } }),
    );
    await waitForReady('outage');
    client = await clientOf('outage');
    await client.becomes(name, '192.0.2.1');
    await waitForState('Serving', 'True');
    const [udp, tcp] = await Promise.all(
      [false, true].map((over) => client.answer('canary.internal-dns.invalid', 'TXT', over)),
    );
    expect(udp).toBe(tcp);
  });

  test('a frozen PowerDNS is reported, and names are answered once it resumes', async () => {
    await signalPowerDNS('idns-outage-0', 'STOP');
    await waitForState('NotAnswering', 'False');
    await until('the condition names PowerDNS', async () => {
      const { status, reason, message = '' } = await condition('outage', 'Resolvable');
      const isNamed = message.includes('powerdns');
      return (status === 'False' && reason === 'NotAnswering' && isNamed) || { status, reason, message };
    });
    // The kubelet kills a container that fails its probes, and may have been faster.
    await withDisturbance('outage', async () => {
      await signalPowerDNS('idns-outage-0', 'CONT').catch(() => undefined);
      await waitForState('Serving', 'True');
    });
    expect(await client.answer(name)).toBe('192.0.2.1');
  });

  test('while ExternalDNS crash-loops, DNS answers and the conditions name the container', async () => {
    // An image that exits at once with these arguments.
    await edit('outage', { images: { externalDNS: 'docker.io/powerdns/pdns-auth-51:5.1.5' } });
    await until('the conditions name the container', async () => {
      const [discovery, ready] = await Promise.all(
        ['DiscoveryReady', 'Ready'].map((type) => condition('outage', type)),
      );
      const isNamed = discovery?.status === 'False' && /container external-dns/.test(discovery.message ?? '');
      return (isNamed && ready?.status === 'False') || { discovery, ready };
    });
    await waitForState('Stalled', 'False');
    expect(await client.answer(name)).toBe('192.0.2.1');
    await edit('outage', { images: { externalDNS: null } });
    await waitForState('Serving', 'True');
    await client.becomes(name, '192.0.2.1');
  });
});
