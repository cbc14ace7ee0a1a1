import { expect, test } from 'vitest';
import { untilBreakerRests } from './breaker.ts';
import { figure } from './figures.ts';
import {
  apply,
  condition,
  get,
  kubectl,
  patch,
  remove,
  settle,
  until,
  waitFor,
  waitForNew,
  writeAddresses,
} from './kubectl.ts';
import { type Client, clientOf, quiet } from './names.ts';
import { ingress, internalDNS, shop, target } from './objects.ts';

const zone = 'care.internal';
const at = (name: string) => `${name}.${zone}`;

/** What may be changed and deleted: the policies, and the guard against a mass of deletions. */
export function policies(): void {
  let client: Client;
  const fixed = (name: string, address: string) =>
    ingress({ name, hosts: [at(name)], annotations: { [target]: address } });
  const declare = async (discovery: object) => {
    await untilBreakerRests();
    await settle('care');
    await patch('internaldns', 'care', { spec: { discovery } });
  };
  const podOf = async () => (await get('pod', 'idns-care-0', 'internal-dns')).metadata.uid;
  let pod: string | undefined;

  test('Preview publishes nothing and says what would change', async () => {
    await apply(
      internalDNS('care', {
        zones: [{ name: zone }],
        discovery: { sources: [{ kind: 'Ingress' }], policy: 'Preview', deleteGuard: { hold: '1m' } },
      }),
      fixed('one', '192.0.2.1'),
    );
    await waitForNew('care');
    client = await clientOf('care');
    pod = await podOf();
    await until('the status says what would change', 30, async () => {
      const { preview } = (await get('internaldns', 'care')).status.discovery ?? {};
      return JSON.stringify(preview)?.includes(at('one')) || preview;
    });
    expect((await condition('care', 'DiscoveryReady')).reason).toBe('Preview');
    await quiet('care');
    expect(await client.answer(at('one'))).toBe('NXDOMAIN');
    await declare({ policy: 'Sync' });
    await client.becomes(at('one'), '192.0.2.1');
    await quiet('care');
  });

  test('UpsertOnly changes and switches types, and deletes nothing', async () => {
    await declare({ policy: 'UpsertOnly' });
    await waitFor('Ready', 'internaldns/care', 60);
    await apply(fixed('one', '192.0.2.2'), fixed('two', '192.0.2.3'));
    await client.becomes(at('one'), '192.0.2.2');
    await client.becomes(at('two'), '192.0.2.3');
    await apply(fixed('one', 'lb.example.org'));
    await client.becomes(at('one'), 'lb.example.org', 15, 'CNAME');
    await remove('ingress', 'two', shop);
    await quiet('care');
    expect(await client.answer(at('two'))).toBe('192.0.2.3');
    await declare({ policy: 'Sync' });
    await client.becomes(at('two'), 'NXDOMAIN');
  });

  test('CreateOnly creates, and changes nothing', async () => {
    await declare({ policy: 'CreateOnly' });
    await waitFor('Ready', 'internaldns/care', 60);
    await apply(fixed('one', '192.0.2.9'), fixed('three', '192.0.2.4'));
    await client.becomes(at('three'), '192.0.2.4');
    await quiet('care');
    expect(await client.answer(at('one'), 'CNAME')).toBe('lb.example.org');
    await declare({ policy: 'Sync' });
    await client.becomes(at('one'), '192.0.2.9');
    expect(await podOf(), 'a policy restarts nothing').toBe(pod);
    for (const name of ['one', 'three']) {
      await remove('ingress', name, shop);
      await client.becomes(at(name), 'NXDOMAIN');
    }
    await quiet('care');
  });

  const names = Array.from({ length: 10 }, (_, index) => `guarded-${index}`);

  test('a controller that clears every address deletes nothing until the hold is over', async () => {
    await apply(...names.map((name) => ingress({ name, hosts: [at(name)], annotations: { 'lab/no-address': '1' } })));
    for (const name of names) await writeAddresses(name, '192.0.2.50');
    for (const name of names) await client.becomes(at(name), '192.0.2.50');
    for (const name of names) await writeAddresses(name);
    const cleared = performance.now();
    await until('the status says what is held', 30, async () => {
      const { reason, message } = await condition('care', 'DiscoveryReady');
      return (reason === 'DeletesHeld' && message?.includes('dns.internal/let-go')) || { reason, message };
    });
    await quiet('care');
    const held = await Promise.all(names.map((name) => client.answer(at(name))));
    // A controller clears its objects one after the other: what went before the guard could know stays gone.
    expect(held.filter((answer) => answer === '192.0.2.50').length).toBeGreaterThanOrEqual(5);
    // Back with another address, as after a restart.
    for (const name of names) await writeAddresses(name, '192.0.2.51');
    for (const name of names) await client.becomes(at(name), '192.0.2.51');
    await until('nothing is held any more', 30, async () => {
      const { reason } = await condition('care', 'DiscoveryReady');
      return reason !== 'DeletesHeld' || reason;
    });
    for (const name of names) await writeAddresses(name);
    await client.becomes(at(names[9]!), 'NXDOMAIN', 120);
    figure('every address cleared twice -> the last name let go', (performance.now() - cleared) / 1000);
  });

  test('somebody lets go before, and one Ingress goes at once', async () => {
    await declare({ deleteGuard: { hold: '1h' } });
    for (const name of names) await writeAddresses(name, '192.0.2.52');
    for (const name of names) await client.becomes(at(name), '192.0.2.52');
    await remove('ingress', names[0]!, shop);
    figure('one of ten Ingresses deleted under guard -> NXDOMAIN', await client.becomes(at(names[0]!), 'NXDOMAIN'));
    await kubectl('-n', shop, 'delete', 'ingress', ...names.slice(1));
    let held: string[] = [];
    await until('the rest is held', 30, async () => {
      const { reason, message = '' } = await condition('care', 'DiscoveryReady');
      held = message.match(/guarded-\d+\.care\.internal/g) ?? [];
      return reason === 'DeletesHeld' || { reason, message };
    });
    // Of those that kubectl deletes between two loops of ExternalDNS, one may stay alone, and go.
    expect(held).toHaveLength(5);
    for (const name of held) expect(await client.answer(name)).toBe('192.0.2.52');
    await settle('care');
    const now = new Date().toISOString();
    await kubectl('annotate', 'internaldns', 'care', '--overwrite', `dns.internal/let-go=${now}`);
    for (const name of names) await client.becomes(at(name), 'NXDOMAIN');
    await quiet('care');
    await remove('internaldns', 'care');
  });
}
