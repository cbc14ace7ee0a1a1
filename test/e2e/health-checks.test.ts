import { once } from 'node:events';
import { test } from 'vitest';
import { edit } from './cluster/edit.ts';
import { apply, until, waitForReady } from './cluster/kubectl.ts';
import { listener, localAddresses } from './cluster/listener.ts';
import { clientOf } from './cluster/names.ts';
import { identityOf } from './cluster/pod.ts';
import { scenario } from './scenario.ts';

const zone = 'health.internal';
const at = (name: string) => `${name}.${zone}`;

scenario('health-checks', ({ internalDNS }) => {
  test('an answer has only healthy addresses, and the first check restarts the server once', async () => {
    const [one, other] = localAddresses();
    const port = 18_025;
    const listeners = [await listener(one, port), await listener(other, port)];
    try {
      await apply(internalDNS('health', { zones: [{ name: zone }] }));
      await waitForReady('health');
      const client = await clientOf('health');
      const before = await identityOf('idns-health-0');
      await edit('health', {
        zones: [
          {
            name: zone,
            records: [
              { name: 'mx', type: 'A', values: [one, other], check: { port, interval: '1s' } },
              {
                name: 'none',
                type: 'A',
                values: [one],
                check: { port: 18_026, interval: '1s', timeout: '1s' },
                backup: ['192.0.2.99'],
                whenAllDown: 'Backup',
              },
            ],
          },
        ],
      });
      await until('the pod was replaced', async () => (await identityOf('idns-health-0')).uid !== before.uid);
      await waitForReady('health');
      const both = [one, other].sort().join(' ');
      await client.becomes(at('mx'), both);
      await client.becomes(at('none'), '192.0.2.99');
      const end = once(listeners[1]!.close(), 'close');
      await client.becomes(at('mx'), one);
      await end;
      listeners[1] = await listener(other, port);
      await client.becomes(at('mx'), both);
      await edit('health', { zones: [{ name: zone }] });
      await client.becomes(at('mx'), 'NXDOMAIN');
      await waitForReady('health');
    } finally {
      for (const server of listeners) server.close();
    }
  });
});
