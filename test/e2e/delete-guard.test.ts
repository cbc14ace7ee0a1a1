import { expect, test } from 'vitest';
import { edit } from './cluster/edit.ts';
import { apply, condition, kubectl, remove, until, waitForQuiescence, waitForReady } from './cluster/kubectl.ts';
import { anotherLoop, withDisturbance } from './cluster/loops.ts';
import { type Client, clientOf } from './cluster/names.ts';
import { untilReported } from './cluster/reported-names.ts';
import { scenario } from './scenario.ts';

const zone = 'guard.internal';
const at = (name: string) => `${name}.${zone}`;

/** The guard against mass deletions. */
scenario('delete-guard', ({ shop, ingress, internalDNS, writeAddresses }) => {
  let client: Client;
  const names = Array.from({ length: 10 }, (_, index) => `guarded-${index}`);

  test('a controller that clears every address deletes no record before the hold ends', async () => {
    await apply(
      internalDNS('guard', {
        zones: [{ name: zone }],
        discovery: { sources: [{ kind: 'Ingress' }], deleteGuard: { hold: '90s' } },
      }),
    );
    await waitForReady('guard');
    client = await clientOf('guard');
    await apply(...names.map((name) => ingress({ name, hosts: [at(name)], annotations: { 'lab/no-address': '1' } })));
    for (const name of names) await writeAddresses(name, '192.0.2.50');
    for (const name of names) await client.becomes(at(name), '192.0.2.50');
    for (const name of names) await writeAddresses(name);
    await until('the condition reports held deletions', async () => {
      const { reason, message } = await condition('guard', 'DiscoveryReady');
      return (reason === 'DeletesHeld' && message?.includes('dns.internal/let-go')) || { reason, message };
    });
    await anotherLoop('guard');
    const held = await Promise.all(names.map((name) => client.answer(at(name))));
    // Although a controller clears its objects one after the other, all names are held.
    expect(held).toEqual(names.map(() => '192.0.2.50'));
    // The controller is back with another address, as after a restart.
    for (const name of names) await writeAddresses(name, '192.0.2.51');
    for (const name of names) await client.becomes(at(name), '192.0.2.51');
    await until('nothing is held', async () => {
      const { reason } = await condition('guard', 'DiscoveryReady');
      return reason !== 'DeletesHeld' || reason;
    });
    // Even if only one loses its address.
    await writeAddresses(names[0]!);
    await untilReported('guard', {
      name: at(names[0]!),
      resource: `ingress/${shop}/${names[0]}`,
      verdict: 'Held',
      message: /no longer has an address; the delete guard keeps its records: it still resolves to 192\.0\.2\.51/,
    });
    for (const name of names) await writeAddresses(name);
    // The hold ends without any change of an object.
    await withDisturbance('guard', () => client.becomes(at(names[9]!), 'NXDOMAIN'));
  });

  test('a single deletion is not held, and the let-go annotation ends a hold early', async () => {
    await edit('guard', { discovery: { deleteGuard: { hold: '1h' } } });
    for (const name of names) await writeAddresses(name, '192.0.2.52');
    for (const name of names) await client.becomes(at(name), '192.0.2.52');
    await remove('ingress', names[0]!, shop);
    await client.becomes(at(names[0]!), 'NXDOMAIN');
    await kubectl('-n', shop, 'delete', 'ingress', ...names.slice(1));
    let held: string[] = [];
    await until('deletions are held', async () => {
      const { reason, message = '' } = await condition('guard', 'DiscoveryReady');
      held = message.match(/guarded-\d+\.guard\.internal/g) ?? [];
      return reason === 'DeletesHeld' || { reason, message };
    });
    // The message names five. kubectl deletes one after the other, so a single one between two loops may not be held.
    expect(held).toHaveLength(5);
    for (const name of held) expect(await client.answer(name)).toBe('192.0.2.52');
    await waitForQuiescence('guard');
    const now = new Date().toISOString();
    await kubectl('annotate', 'internaldns', 'guard', '--overwrite', `dns.internal/let-go=${now}`);
    for (const name of names) await client.becomes(at(name), 'NXDOMAIN');
  });
});
