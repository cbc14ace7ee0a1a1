import { expect, test } from 'vitest';
import { apply, get, until, waitForQuiescence, waitForReady } from './cluster/kubectl.ts';
import { anotherLoop } from './cluster/loops.ts';
import { clientOf } from './cluster/names.ts';
import { hostname, target } from './cluster/objects.ts';
import { statusAddress, tableAt, untilReported, watchEvents } from './cluster/reported-names.ts';
import { scenario } from './scenario.ts';

const zone = 'rest.internal';
const at = (name: string) => `${name}.${zone}`;

/** Reports, and none while nothing changes. Runs alone, because an instance reports on every host of the cluster. */
scenario('rest', ({ shop, ingress, internalDNS }) => {
  const address = '192.0.2.1';

  test('the status reports a host outside the zones', async () => {
    await apply(
      internalDNS('rest', { zones: [{ name: zone }] }),
      ingress({ name: 'web', hosts: [at('web'), 'web.example.org'], annotations: { [target]: address } }),
      ingress({ name: 'bad', hosts: [], annotations: { [target]: address, [hostname]: at('b%d') } }),
      ingress({ name: 'waits', hosts: [at('waits')], annotations: { 'lab/no-address': '1' } }),
    );
    await waitForReady('rest');
    await (await clientOf('rest')).becomes(at('web'), address);
    await untilReported('rest', {
      name: 'web.example.org',
      resource: `ingress/${shop}/web`,
      verdict: 'OutsideZones',
      message: /rest\.internal/,
    });
  });

  test('while nothing changes there are no Events and no writes of the status', async () => {
    const page = await statusAddress('rest');
    await until('the page has every verdict', async () => {
      const shown = (await tableAt(page)).names.map(({ verdict }) => verdict).sort();
      return shown.join() === 'NoAddress,OutsideZones,Refused,Resolved' || shown;
    });
    // A report may be delayed by ten seconds, and Crossplane reconciles after it.
    const report = async () => (await get('configmap', 'idns-rest-status', 'internal-dns')).data['idns-rest-0'];
    await until(
      'the report has all problems',
      async () => JSON.parse(await report()).names?.problems.length === 3 || report(),
    );
    await waitForQuiescence('rest');
    const versionOf = async () => (await get('configmap', 'idns-rest-status', 'internal-dns')).metadata.resourceVersion;
    const version = await versionOf();
    const watch = watchEvents(shop);
    for (let loop = 0; loop < 5; loop++) await anotherLoop('rest');
    watch.stop();
    expect(watch.seenAt(zone)).toBeUndefined();
    expect(await versionOf()).toBe(version);
  });
});
