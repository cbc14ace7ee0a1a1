import { describe, expect, test } from 'vitest';
import {
  type BadKindSpec,
  badClaims,
  badMachines,
  badZoneEdits,
  badZones,
  goodClaims,
  goodMachines,
  goodZones,
} from '../contract/kinds/refusals.ts';
import { badEdits, badSpecs, goodEdits } from '../internal-dns/refusals.ts';
import { apply, condition, dryRun, get, kubectl, patch, remove, until, waitForReady } from './cluster/kubectl.ts';
import { clientOf } from './cluster/names.ts';
import { internalDNS } from './cluster/objects.ts';
import { scenario } from './scenario.ts';

const zone = 'refusals.internal';

scenario('refusals', ({ owns }) => {
  test.each(badSpecs.filter(({ rejectedBy }) => rejectedBy !== 'function'))(
    'the API server refuses $reason',
    async ({ spec, path, message }) => {
      const result = await dryRun(internalDNS('bad', spec)).then(() => 'accepted', String);
      expect(result).toMatch(message);
      expect(result).toContain(path);
    },
  );

  const kinds: [kind: string, bad: BadKindSpec[], good: object[]][] = [
    ['Machine', badMachines, goodMachines],
    ['NameClaim', badClaims, goodClaims],
    ['Zone', badZones, goodZones],
  ];
  describe.each(kinds)('of a %s', (kind, bad, good) => {
    const objectWith = (spec: object) => ({
      ...{ apiVersion: 'dns.internal/v1alpha1', kind, spec },
      metadata: { name: 'bad', namespace: 'default' },
    });

    test.each(bad.filter(({ rejectedBy }) => rejectedBy !== 'agent'))(
      'the API server refuses one when $reason',
      async ({ spec, path, message }) => {
        const result = await dryRun(objectWith(spec)).then(() => 'accepted', String);
        expect(result).toMatch(message);
        // The key of a map is in brackets.
        expect(result.replaceAll(/\[([a-z]+)\]/g, '.$1')).toContain(path);
      },
    );

    test.each(good.map((spec) => ({ spec })))('the API server accepts $spec', ({ spec }) => dryRun(objectWith(spec)));
  });

  test('the API server refuses a Machine whose name is too long for DNS, unless it has a hostname', async () => {
    const metadata = { name: 'x'.repeat(64), namespace: 'default' };
    const machine = { apiVersion: 'dns.internal/v1alpha1', kind: 'Machine', metadata };
    await expect(dryRun({ ...machine, spec: {} })).rejects.toThrow('metadata.name has a label of more than 63');
    await dryRun({ ...machine, spec: { hostname: 'nas' } });
  });

  test.each(badZoneEdits)('the API server refuses an edit of a Zone $reason', async ({ before, after, message }) => {
    const zoneWith = (spec: object) => ({
      ...{ apiVersion: 'dns.internal/v1alpha1', kind: 'Zone', spec },
      metadata: { name: 'edited', namespace: 'default' },
    });
    await apply(zoneWith(before));
    await expect(dryRun(zoneWith(after))).rejects.toThrow(message);
    await remove('zone', 'edited', 'default');
  });

  /** Crossplane composes nothing for it. */
  const paused = (spec: object) => {
    const composite = internalDNS(owns('edited'), spec);
    return { ...composite, metadata: { ...composite.metadata, annotations: { 'crossplane.io/paused': 'true' } } };
  };

  test.each(goodEdits)('the API server accepts an edit: $reason', async ({ before, after }) => {
    await apply(paused(before));
    await dryRun(paused(after));
    await remove('internaldns', 'edited');
  });

  test.each(badEdits)('the API server refuses an edit: $reason', async ({ before, after, message }) => {
    await apply(paused(before));
    await expect(dryRun(paused(after))).rejects.toThrow(message);
    await remove('internaldns', 'edited');
  });

  test('a spec that only the function can refuse does not affect the running DNS, and kubectl describe shows why', async () => {
    await apply(internalDNS(owns('refusals'), { zones: [{ name: zone }] }));
    await waitForReady('refusals');
    const client = await clientOf('refusals');
    const why = /spec\.service\.addresses\[0\]: address must be an IPv4 or IPv6 address/;
    await patch('internaldns', 'refusals', { spec: { service: { addresses: ['1:2:3'] } } });
    await until('the condition has the reason', async () => {
      const { message = '' } = await condition('refusals', 'Synced');
      return why.test(message) || message;
    });
    expect(await kubectl('describe', 'internaldns', 'refusals')).toMatch(why);
    const { status } = await get('internaldns', 'refusals');
    const conditions = Object.fromEntries(
      status.conditions.map((c: { type: string; status: string }) => [c.type, c.status]),
    );
    expect(conditions).toMatchObject({
      Synced: 'False',
      ServerReady: 'Unknown',
      ZonesReady: 'Unknown',
      DiscoveryReady: 'Unknown',
      Resolvable: 'Unknown',
    });
    expect(await client.answer(zone, 'NS')).toBe(`ns1.${zone}`);
    await patch('internaldns', 'refusals', { spec: { service: { addresses: null } } });
    await waitForReady('refusals');
  });
});
