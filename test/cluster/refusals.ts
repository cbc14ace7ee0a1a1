import { expect, test } from 'vitest';
import { badEdits, badSpecs, goodEdits } from '../policy/refusals.ts';
import { figure } from './figures.ts';
import { apply, condition, dryRun, get, kubectl, patch, remove, settle, until, waitFor } from './kubectl.ts';
import { clientOf, quiet } from './names.ts';
import { internalDNS } from './objects.ts';

export function refusals(): void {
  test.each(badSpecs.filter(({ judge }) => judge !== 'function'))(
    'kubectl apply refuses $reason',
    async ({ spec, path, message }) => {
      const words = await dryRun(internalDNS('bad', spec)).then(() => 'accepted', String);
      expect(words).toMatch(message);
      // kubectl itself misses a field before the API server does, and has words of its own for it.
      if (!words.includes(`missing required field "${path.split('.').at(-1)}"`)) expect(words).toContain(path);
    },
  );

  test.each(goodEdits)('kubectl apply takes an edit: $reason', async ({ before, after }) => {
    await apply(internalDNS('edited', before));
    await dryRun(internalDNS('edited', after));
    await remove('internaldns', 'edited');
  });

  test.each(badEdits)('kubectl apply refuses to edit: $reason', async ({ before, after, message }) => {
    await apply(internalDNS('edited', before));
    await expect(dryRun(internalDNS('edited', after))).rejects.toThrow(message);
    await remove('internaldns', 'edited');
  });

  test('what only the function can refuse leaves the running DNS as it was, and describe says why', async () => {
    const client = await clientOf('corp');
    const why = /spec\.service\.addresses\[0\]: address must be an IPv4 or IPv6 address/;
    await patch('internaldns', 'corp', { spec: { service: { addresses: ['1:2:3'] } } });
    await until('the status says why', 30, async () => {
      const { message = '' } = await condition('corp', 'Synced');
      return why.test(message) || message;
    });
    expect(await kubectl('describe', 'internaldns', 'corp')).toMatch(why);
    const { status } = await get('internaldns', 'corp');
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
    expect(await client.answer('corp.internal', 'NS')).toBe('ns1.corp.internal');
    await patch('internaldns', 'corp', { spec: { service: { addresses: null } } });
    figure('bad edit corrected -> Ready', await waitFor('Ready', 'internaldns/corp', 60));
    await quiet('corp');
  });

  test('an edit while Ready: wait does not return on the old state', async () => {
    await settle('corp');
    await patch('internaldns', 'corp', { spec: { zones: [{ name: 'corp.internal' }, { name: 'edit.internal' }] } });
    await waitFor('Ready', 'internaldns/corp', 60);
    const client = await clientOf('corp');
    expect(await client.answer('edit.internal', 'NS')).toBe('ns1.edit.internal');
    await settle('corp');
    await patch('internaldns', 'corp', { spec: { zones: [{ name: 'corp.internal' }], podLabels: { edited: 'yes' } } });
    await waitFor('Ready', 'internaldns/corp', 90);
    expect((await get('pod', 'idns-corp-0', 'internal-dns')).metadata.labels?.edited).toBe('yes');
    expect(await client.answer('edit.internal', 'NS')).toBe('REFUSED');
    await settle('corp');
    await patch('internaldns', 'corp', { spec: { podLabels: null } });
    await waitFor('Ready', 'internaldns/corp', 90);
  });
}
