import { expect, test } from 'vitest';
import { edit } from './cluster/edit.ts';
import { apply, applyLarge, condition, remove, until, waitForReady } from './cluster/kubectl.ts';
import { clientOf } from './cluster/names.ts';
import { largeZoneFile } from './cluster/objects.ts';
import { identityOf } from './cluster/pod.ts';
import { scenario } from './scenario.ts';

const zone = 'files.internal';
const at = (name: string) => `${name}.${zone}`;

scenario('zone-files', ({ internalDNS }) => {
  const file = (changed: string) => largeZoneFile('e2e-zone-file', changed);

  test('a zone file of 10,000 records follows its ConfigMap, and keeps its records while a line is invalid', async () => {
    const recordsFrom = [{ configMapKeyRef: { name: 'e2e-zone-file', key: 'zone' } }];
    await applyLarge(file('changing A 192.0.2.1'));
    await apply(internalDNS('files', { zones: [{ name: zone, recordsFrom }] }));
    await waitForReady('files');
    const client = await clientOf('files');
    await client.becomes(at('changing'), '192.0.2.1');
    expect(await client.answer(at('host-9998'))).toBe('198.18.39.14');
    const before = await identityOf('idns-files-0');
    for (let turn = 2; turn <= 5; turn++) {
      await applyLarge(file(`changing A 192.0.2.${turn}`));
      await client.becomes(at('changing'), `192.0.2.${turn}`);
    }
    expect(await identityOf('idns-files-0')).toEqual(before);

    await applyLarge(file('changing A 192.0.2.256'));
    await until('the status names the line', async () => {
      const { message } = await condition('files', 'ZonesReady');
      const expected = 'ConfigMap e2e-zone-file, key zone, line 10001: not an IPv4 address: 192.0.2.256';
      return message?.includes(expected) || message;
    });
    expect(await client.answer(at('changing'))).toBe('192.0.2.5');
    expect(await client.answer(at('host-0'))).toBe('198.18.0.0');
    await applyLarge(file('changing A 192.0.2.6'));
    await client.becomes(at('changing'), '192.0.2.6');
    await waitForReady('files');
    await edit('files', { zones: [{ name: zone }] });
    await client.becomes(at('host-0'), 'NXDOMAIN');
    await remove('configmap', 'e2e-zone-file', 'internal-dns');
  });
});
