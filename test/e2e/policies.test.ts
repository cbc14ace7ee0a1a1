import { expect, test } from 'vitest';
import { declare } from './cluster/edit.ts';
import { apply, condition, get, remove, until, waitForReady } from './cluster/kubectl.ts';
import { anotherLoop } from './cluster/loops.ts';
import { type Client, clientOf } from './cluster/names.ts';
import { target } from './cluster/objects.ts';
import { scenario } from './scenario.ts';

const zone = 'care.internal';
const at = (name: string) => `${name}.${zone}`;

/** What each policy may change and delete. */
scenario('policies', ({ shop, ingress, internalDNS }) => {
  let client: Client;
  const fixed = (name: string, address: string) =>
    ingress({ name, hosts: [at(name)], annotations: { [target]: address } });
  const setPolicy = (policy: string) => declare('care', { discovery: { policy } });
  const podOf = async () => (await get('pod', 'idns-care-0', 'internal-dns')).metadata.uid;
  let pod: string | undefined;

  test('Preview publishes nothing and reports what would change', async () => {
    await apply(
      internalDNS('care', {
        zones: [{ name: zone }],
        discovery: { sources: [{ kind: 'Ingress' }], policy: 'Preview', targets: { hostNames: 'CNAME' } },
      }),
      fixed('one', '192.0.2.1'),
    );
    await waitForReady('care');
    client = await clientOf('care');
    pod = await podOf();
    await until('the status reports what would change', async () => {
      const { preview } = (await get('internaldns', 'care')).status.discovery ?? {};
      const { reason } = await condition('care', 'DiscoveryReady');
      return (reason === 'Preview' && JSON.stringify(preview)?.includes(at('one'))) || { reason, preview };
    });
    await anotherLoop('care');
    expect(await client.answer(at('one'))).toBe('NXDOMAIN');
    await setPolicy('Sync');
    await client.becomes(at('one'), '192.0.2.1');
  });

  test('UpsertOnly changes addresses and types, and deletes nothing', async () => {
    await setPolicy('UpsertOnly');
    await apply(fixed('one', '192.0.2.2'), fixed('two', '192.0.2.3'));
    await client.becomes(at('one'), '192.0.2.2');
    await client.becomes(at('two'), '192.0.2.3');
    await apply(fixed('one', 'lb.example.org'));
    await client.becomes(at('one'), 'lb.example.org', 'CNAME');
    await remove('ingress', 'two', shop);
    await anotherLoop('care');
    expect(await client.answer(at('two'))).toBe('192.0.2.3');
    await setPolicy('Sync');
    await client.becomes(at('two'), 'NXDOMAIN');
  });

  test('CreateOnly creates, and changes nothing', async () => {
    await setPolicy('CreateOnly');
    await apply(fixed('one', '192.0.2.9'), fixed('three', '192.0.2.4'));
    await client.becomes(at('three'), '192.0.2.4');
    await anotherLoop('care');
    expect(await client.answer(at('one'), 'CNAME')).toBe('lb.example.org');
    await setPolicy('Sync');
    await client.becomes(at('one'), '192.0.2.9');
    expect(await podOf(), 'a policy change restarts nothing').toBe(pod);
    for (const name of ['one', 'three']) {
      await remove('ingress', name, shop);
      await client.becomes(at(name), 'NXDOMAIN');
    }
  });
});
