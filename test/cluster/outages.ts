import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { untilBreakerRests } from './breaker.ts';
import { condition } from './discovery.ts';
import { figure } from './figures.ts';
import { apply, get, kubectl, patch, remove, settle, until, waitFor } from './kubectl.ts';
import { type Client, clientOf, quiet, watchAnswers } from './names.ts';
import { ingress, internalDNS, shop, target } from './objects.ts';
import { statusAddress, tableAt } from './telling.ts';

const { FREEZE_API: freeze, THAW_API: thaw } = process.env;
const zone = 'outage.internal';

/** A part of the chain is away: it is said which, within a minute, and that it is over. */
export function outages(): void {
  let client: Client;
  let page: string;
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
    await waitFor('Ready', 'internaldns/outage', 120);
    [client, page] = [await clientOf('outage'), await statusAddress('outage')];
    await client.becomes(name, '192.0.2.1');
    await says('Serving', 'True');
    const [udp, tcp] = await Promise.all(
      [false, true].map((over) => client.answer('canary.internal-dns.invalid', 'TXT', over)),
    );
    expect(udp).toBe(tcp);
  });

  test('PowerDNS is stopped, and goes on', async () => {
    const signal = (sent: string) =>
      kubectl(
        ...['-n', 'internal-dns', 'exec', 'idns-outage-0', '-c', 'powerdns', '--', 'sh', '-c'],
        `cd /proc; for p in [0-9]*; do grep -q pdns_server $p/comm && kill -${sent} $p; done`,
      );
    await signal('STOP');
    figure('PowerDNS stopped -> said', await says('NotAnswering', 'False'));
    const { status, reason, message } = await condition('outage', 'Resolvable');
    expect({ status, reason }).toEqual({ status: 'False', reason: 'NotAnswering' });
    expect(message).toMatch(/powerdns/);
    await signal('CONT');
    figure('PowerDNS goes on -> said', await says('Serving', 'True'));
    expect(await client.answer(name)).toBe('192.0.2.1');
  });

  test.skipIf(!freeze || !thaw)(
    'the API server is away: the agent says so itself (needs FREEZE_API and THAW_API)',
    async () => {
      const run = promisify(execFile);
      const watch = watchAnswers(client, name, '192.0.2.1', 100);
      await run('sh', ['-c', freeze!]);
      try {
        const seconds = await until('the agent says that it is blind', 60, async () => {
          const { resolution, names } = await tableAt(page);
          const isStill = names.find((each) => each.name === name)?.verdict === 'Resolved';
          return (resolution?.state === 'Blind' && isStill) || resolution;
        });
        figure('API server away -> said', seconds);
      } finally {
        await run('sh', ['-c', thaw!]);
      }
      expect((await watch.stop()).unanswered).toBe(0);
      await until('the API server is back', 60, async () => (await kubectl('get', '--raw', '/readyz')) === 'ok');
      await until('the agent sees again', 60, async () => {
        const { resolution } = await tableAt(page);
        return resolution?.state === 'Serving' || resolution;
      });
      await quiet('outage');
    },
  );

  test('ExternalDNS ends again and again: DNS answers, and it is said why nothing changes', async () => {
    await untilBreakerRests();
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
    await untilBreakerRests();
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
