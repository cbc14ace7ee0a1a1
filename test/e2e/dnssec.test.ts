import { expect, test } from 'vitest';
import { delv, findDelv } from '../powerdns/delv.ts';
import { edit } from './cluster/edit.ts';
import { apply, condition, get, kubectl, until, waitForReady } from './cluster/kubectl.ts';
import { clientOf } from './cluster/names.ts';
import { scenario } from './scenario.ts';

const zone = 'signed.internal';

scenario('dnssec', ({ internalDNS }) => {
  test('a signed zone validates against the DS in its status, and keeps its key when its volume is lost', async () => {
    await findDelv();
    const zonesWith = (mode: string) => [
      {
        name: zone,
        records: [{ name: 'www', type: 'A', values: ['192.0.2.1'] }],
        dnssec: { mode, algorithm: 'ECDSA256' },
      },
    ];
    await apply(internalDNS('signed', { zones: zonesWith('Signed'), discovery: { sources: [] } }));
    await waitForReady('signed');
    const dsOf = async (): Promise<string[]> => (await get('internaldns', 'signed')).status.zones[0].dnssec.ds;
    const ds = await dsOf();
    const validated = async (name: string) => {
      const { address: server } = (await get('internaldns', 'signed')).status;
      return delv({ server, zone, ds, name });
    };
    expect(await validated(`www.${zone}`)).toMatch(/fully validated[\s\S]*192\.0\.2\.1/);
    expect(await validated(`nothing.${zone}`)).toMatch(/negative response, fully validated/);

    await kubectl('-n', 'internal-dns', 'delete', 'pvc', 'data-idns-signed-0', '--wait=false');
    await kubectl('-n', 'internal-dns', 'delete', 'pod', 'idns-signed-0');
    const signed = await clientOf('signed');
    await until('the zone answers again', async () => (await signed.answer(`www.${zone}`)) === '192.0.2.1');
    await waitForReady('signed');
    expect(await dsOf()).toEqual(ds);
    await until('the zone validates with the same key', async () => {
      const seen = await validated(`www.${zone}`);
      return seen.includes('fully validated') || seen;
    });

    await expect(edit('signed', { zones: zonesWith('Off') })).rejects.toThrow('Unsigning');
    await edit('signed', { zones: zonesWith('Unsigning') });
    await until('the condition names the DS to remove first', async () => {
      const { message } = await condition('signed', 'ZonesReady');
      return message?.includes(ds[0]!.split(' ')[0]!) || message;
    });
    await edit('signed', { zones: zonesWith('Off') });
    await until('the zone is unsigned', async () => (await signed.answer(zone, 'DNSKEY')) === 'NOERROR');
    await waitForReady('signed');
  });
});
