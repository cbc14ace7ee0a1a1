import { expect, test } from 'vitest';
import { edit } from './cluster/edit.ts';
import { apply, condition, get, until, waitForReady } from './cluster/kubectl.ts';
import { withDisturbance } from './cluster/loops.ts';
import { type Client, clientOf } from './cluster/names.ts';
import { target } from './cluster/objects.ts';
import { signalPowerDNS } from './cluster/pod.ts';
import { scenario } from './scenario.ts';

const zone = 'outage.internal';

/** A part of the chain is away: it is said which, and that it is over. */
scenario('outages', ({ ingress, internalDNS }) => {
  let client: Client;
  const name = `stays.${zone}`;

  /** Waits until the composite says so. */
  const says = (state: string, ready: string) =>
    until(`the status says ${state}`, async () => {
      const { resolution } = (await get('internaldns', 'outage')).status;
      const isReady = (await condition('outage', 'Ready')).status;
      return (resolution?.state === state && isReady === ready) || { resolution, isReady };
    });

  test('a sound instance says that names are served', async () => {
    await apply(
      internalDNS('outage', { zones: [{ name: zone }], discovery: { sources: [{ kind: 'Ingress' }] } }),
      ingress({ name: 'stays', hosts: [name], annotations: { [target]: '192.0.2.1' } }),
    );
    await waitForReady('outage');
    client = await clientOf('outage');
    await client.becomes(name, '192.0.2.1');
    await says('Serving', 'True');
    const [udp, tcp] = await Promise.all(
      [false, true].map((over) => client.answer('canary.internal-dns.invalid', 'TXT', over)),
    );
    expect(udp).toBe(tcp);
  });

  test('PowerDNS is stopped, and goes on', async () => {
    await signalPowerDNS('idns-outage-0', 'STOP');
    await says('NotAnswering', 'False');
    await until('the condition says so', async () => {
      const { status, reason, message = '' } = await condition('outage', 'Resolvable');
      const isNamed = message.includes('powerdns');
      return (status === 'False' && reason === 'NotAnswering' && isNamed) || { status, reason, message };
    });
    // kubelet kills what does not answer for long, and may have been faster.
    await withDisturbance('outage', async () => {
      await signalPowerDNS('idns-outage-0', 'CONT').catch(() => undefined);
      await says('Serving', 'True');
    });
    expect(await client.answer(name)).toBe('192.0.2.1');
  });

  test('ExternalDNS ends again and again: DNS answers, and it is said why nothing changes', async () => {
    // It is there, and ends at once with these arguments.
    await edit('outage', { images: { externalDNS: 'docker.io/powerdns/pdns-auth-51:5.1.5' } });
    await until('the conditions say so', async () => {
      const [discovery, ready] = await Promise.all(
        ['DiscoveryReady', 'Ready'].map((type) => condition('outage', type)),
      );
      const isSaid = discovery?.status === 'False' && /container external-dns/.test(discovery.message ?? '');
      return (isSaid && ready?.status === 'False') || { discovery, ready };
    });
    await says('Stalled', 'False');
    expect(await client.answer(name)).toBe('192.0.2.1');
    await edit('outage', { images: { externalDNS: null } });
    await says('Serving', 'True');
    await client.becomes(name, '192.0.2.1');
  });
});
