import { expect, test } from 'vitest';
import { untilBreakerRests } from './breaker.ts';
import { figure } from './figures.ts';
import { apply, condition, get, patch, remove, settle, until, waitForNew } from './kubectl.ts';
import { type Client, clientOf, watchAnswers } from './names.ts';
import { ingress, internalDNS, shop, target } from './objects.ts';
import { signalPowerDNS } from './pod.ts';

const zone = 'outage.internal';

/** A part of the chain is away: it is said which, within a minute, and that it is over. */
export function outages(): void {
  let client: Client;
  const name = `stays.${zone}`;

  /** Waits until the composite says so, and gives the seconds. */
  const says = (state: string, ready: string) =>
    until(`the status says ${state}`, 60, async () => {
      const { resolution } = (await get('internaldns', 'outage')).status;
      const isReady = (await condition('outage', 'Ready')).status;
      return (resolution?.state === state && isReady === ready) || { resolution, isReady };
    });

  test('a sound instance says that names are served', async () => {
    await apply(
      internalDNS('outage', { zones: [{ name: zone }], discovery: { sources: [{ kind: 'Ingress' }] } }),
      ingress({ name: 'stays', hosts: [name], annotations: { [target]: '192.0.2.1' } }),
    );
    await waitForNew('outage');
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
    figure('PowerDNS stopped -> said', await says('NotAnswering', 'False'));
    const { status, reason, message } = await condition('outage', 'Resolvable');
    expect({ status, reason }).toEqual({ status: 'False', reason: 'NotAnswering' });
    expect(message).toMatch(/powerdns/);
    await signalPowerDNS('idns-outage-0', 'CONT');
    figure('PowerDNS goes on -> said', await says('Serving', 'True'));
    expect(await client.answer(name)).toBe('192.0.2.1');
  });

  test('ExternalDNS ends again and again: DNS answers, and it is said why nothing changes', async () => {
    await untilBreakerRests(25);
    await settle('outage');
    const watch = watchAnswers(client, name, '192.0.2.1', 100);
    // It is there, and ends at once with these arguments.
    await patch('internaldns', 'outage', {
      spec: { images: { externalDNS: 'docker.io/powerdns/pdns-auth-51:5.1.5' } },
    });
    const start = performance.now();
    await until('the conditions say so', 60, async () => {
      const [discovery, ready] = await Promise.all(
        ['DiscoveryReady', 'Ready'].map((type) => condition('outage', type)),
      );
      const isSaid = discovery?.status === 'False' && /container external-dns/.test(discovery.message ?? '');
      return (isSaid && ready?.status === 'False') || { discovery, ready };
    });
    figure('ExternalDNS ends again and again -> said', (performance.now() - start) / 1000);
    await says('Stalled', 'False');
    expect(await client.answer(name)).toBe('192.0.2.1');
    await untilBreakerRests(25);
    await settle('outage');
    await patch('internaldns', 'outage', { spec: { images: { externalDNS: null } } });
    await says('Serving', 'True');
    expect((await watch.stop()).longestGapSeconds).toBeLessThan(30);
  });

  test('everything is put away', async () => {
    await remove('ingress', 'stays', shop);
    await remove('internaldns', 'outage');
  });
}
