import { expect, test } from 'vitest';
import { edit } from './cluster/edit.ts';
import { apply, remove, waitForReady } from './cluster/kubectl.ts';
import { clientOf } from './cluster/names.ts';
import { target } from './cluster/objects.ts';
import { scenario } from './scenario.ts';

const zone = 'reverse.internal';

scenario('reverse-zones', ({ shop, ingress, internalDNS }) => {
  test('PTR records are published for declared and discovered addresses, and in a delegated range', async () => {
    const host = `web.${zone}`;
    const records = [{ name: 'db', type: 'A', values: ['192.0.2.7', '203.0.113.70'], ptr: true }];
    await apply(
      internalDNS('reverse', {
        zones: [
          { name: zone, records },
          { name: '2.0.192.in-addr.arpa' },
          { name: '100.51.198.in-addr.arpa' },
          { name: '113.0.203.in-addr.arpa' },
          { name: '64/26.113.0.203.in-addr.arpa', nameServers: [`ns1.${zone}`] },
        ],
        discovery: { reverse: 'Publish' },
      }),
      ingress({ name: 'web', hosts: [host], annotations: { [target]: '198.51.100.7' } }),
    );
    await waitForReady('reverse');
    const client = await clientOf('reverse');
    await client.becomes('7.2.0.192.in-addr.arpa', `db.${zone}`, 'PTR');
    await client.becomes('7.100.51.198.in-addr.arpa', host, 'PTR');
    // The zones are created one after the other.
    await client.becomes('70.113.0.203.in-addr.arpa', `70.64/26.113.0.203.in-addr.arpa db.${zone}`, 'PTR');
    const range = await client.ask('70.113.0.203.in-addr.arpa', 'PTR');
    expect(range.answers.map(({ type, data }) => `${type} ${data}`)).toEqual([
      'CNAME 70.64/26.113.0.203.in-addr.arpa',
      `PTR db.${zone}`,
    ]);
    await remove('ingress', 'web', shop);
    await client.becomes('7.100.51.198.in-addr.arpa', 'NXDOMAIN', 'PTR');
    await edit('reverse', { zones: [{ name: zone }], discovery: { reverse: 'Off' } });
    await client.becomes('7.2.0.192.in-addr.arpa', 'REFUSED', 'PTR');
    await waitForReady('reverse');
  });
});
