import { expect, test } from 'vitest';
import { badEdits, badSpecs, goodEdits } from '../internal-dns/refusals.ts';
import { apply, condition, dryRun, get, kubectl, patch, remove, until, waitForReady } from './cluster/kubectl.ts';
import { clientOf } from './cluster/names.ts';
import { internalDNS } from './cluster/objects.ts';
import { scenario } from './scenario.ts';

const zone = 'refusals.internal';

scenario('refusals', ({ owns }) => {
  test.each(badSpecs.filter(({ rejectedBy }) => rejectedBy !== 'function'))(
    'kubectl apply refuses $reason',
    async ({ spec, path, message }) => {
      const result = await dryRun(internalDNS('bad', spec)).then(() => 'accepted', String);
      expect(result).toMatch(message);
      // kubectl itself reports a missing field before the API server does, without its path.
      if (!result.includes(`missing required field "${path.split('.').at(-1)}"`)) expect(result).toContain(path);
    },
  );

  test.each(goodEdits)('kubectl apply accepts an edit: $reason', async ({ before, after }) => {
    await apply(internalDNS(owns('edited'), before));
    await dryRun(internalDNS(owns('edited'), after));
    await remove('internaldns', 'edited');
  });

  test.each(badEdits)('kubectl apply refuses an edit: $reason', async ({ before, after, message }) => {
    await apply(internalDNS(owns('edited'), before));
    await expect(dryRun(internalDNS(owns('edited'), after))).rejects.toThrow(message);
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
