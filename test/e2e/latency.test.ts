import { expect, test } from 'vitest';
import { edit } from './cluster/edit.ts';
import { figure } from './cluster/figures.ts';
import { apply, applyLarge, kubectl, patch, remove, until, waitForReady } from './cluster/kubectl.ts';
import { type Client, clientOf, watchAnswers } from './cluster/names.ts';
import { internalDNS, largeZoneFile, target } from './cluster/objects.ts';
import { watchEvents } from './cluster/reported-names.ts';
import { scenario } from './scenario.ts';

const zone = 'latency.internal';
const at = (name: string) => `${name}.${zone}`;

/** Latencies with the default interval and nothing else in the cluster. */
scenario('latency', ({ shop, ingress, owns }) => {
  let client: Client;
  const fixed = (name: string, address: string) =>
    ingress({ name, hosts: [at(name)], annotations: { [target]: address } });
  const sinceNow = () => {
    const start = performance.now();
    return () => (performance.now() - start) / 1000;
  };

  test('an Ingress is published, changed and removed', async () => {
    await apply(internalDNS(owns('latency'), { zones: [{ name: zone }] }));
    await waitForReady('latency');
    client = await clientOf('latency');
    expect(await client.answer(at('web'))).toBe('NXDOMAIN');
    await apply(fixed('web', '192.0.2.1'));
    figure('Ingress applied -> answered, queried before', await client.becomes(at('web'), '192.0.2.1'));
    await patch('ingress', 'web', { metadata: { annotations: { [target]: '192.0.2.2' } } }, shop);
    figure('address changed -> answered', await client.becomes(at('web'), '192.0.2.2'));
    await remove('ingress', 'web', shop);
    figure('Ingress deleted -> NXDOMAIN', await client.becomes(at('web'), 'NXDOMAIN'));
  });

  test('an Event follows each change of an object', async () => {
    const watch = watchEvents(shop, '--watch');
    const seconds: number[] = [];
    for (let n = 1; n <= 10; n++) {
      const address = `192.0.2.${100 + n}`;
      await apply(fixed(`timed-${n}`, address));
      const elapsed = sinceNow();
      await until('the Event is visible', async () => watch.seenAt(`resolves to ${address}`) !== undefined, {
        every: 10,
      });
      seconds.push(elapsed());
    }
    watch.stop();
    seconds.sort((a, b) => a - b);
    figure('object applied -> Event on it visible, median of ten', seconds[5] as number);
    figure('object applied -> Event on it visible, slowest of ten', seconds[9] as number);
    await kubectl('-n', shop, 'delete', 'ingress', ...Array.from({ length: 10 }, (_, n) => `timed-${n + 1}`));
  });

  test('a record in the resource is changed, as often as Crossplane reconciles at once', async () => {
    const seconds: number[] = [];
    for (let turn = 1; turn <= 3; turn++) {
      const values = [`192.0.2.${turn}`];
      await edit('latency', { zones: [{ name: zone, records: [{ name: 'www', type: 'A', values }] }] });
      seconds.push(await client.becomes(at('www'), values[0] as string));
    }
    figure('record in the resource changed -> answered, slowest of three', Math.max(...seconds));
  });

  test('one line of a zone file of 10,000 is changed ten times in a row', async () => {
    const name = 'e2e-latency';
    const file = (changed: string) => largeZoneFile(name, changed);
    await applyLarge(file('changing A 192.0.2.1'));
    const recordsFrom = [{ configMapKeyRef: { name, key: 'zone' } }];
    await edit('latency', { zones: [{ name: zone, recordsFrom }] });
    figure(
      'zone file of 10,000 records added to recordsFrom -> answered',
      await client.becomes(at('changing'), '192.0.2.1'),
    );
    const seconds: number[] = [];
    for (let turn = 11; turn <= 20; turn++) {
      await applyLarge(file(`changing A 192.0.2.${turn}`));
      seconds.push(await client.becomes(at('changing'), `192.0.2.${turn}`));
    }
    seconds.sort((a, b) => a - b);
    figure('one line of 10,000 changed -> answered, median of ten', seconds[5] as number);
    figure('one line of 10,000 changed -> answered, slowest of ten', seconds[9] as number);
    await edit('latency', { zones: [{ name: zone }] });
    await client.becomes(at('changing'), 'NXDOMAIN');
    await remove('configmap', name, 'internal-dns');
  });

  test('the only pod is deleted and becomes Ready again', async () => {
    await apply(fixed('stays', '192.0.2.3'));
    await client.becomes(at('stays'), '192.0.2.3');
    const watch = watchAnswers(client, at('stays'), '192.0.2.3');
    const elapsed = sinceNow();
    await kubectl('-n', 'internal-dns', 'delete', 'pod', 'idns-latency-0');
    await kubectl('-n', 'internal-dns', 'rollout', 'status', 'statefulset/idns-latency');
    figure('one replica, its pod deleted: until Ready', elapsed());
    figure('one replica, its pod deleted: without an answer', (await watch.stop()).longestGapSeconds);
  });
});
