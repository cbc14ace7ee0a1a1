/**
 * The zones of a real PowerDNS, exported as zone files.
 *
 * @module-tag PowerDNS
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Database } from '../../../functions/agent/powerdns/database.ts';
import { PowerDNS } from '../../../functions/agent/powerdns/powerdns.ts';
import { keyOf, type Zone } from '../../../functions/agent/powerdns/rrset.ts';
import { exportZone } from '../../../functions/agent/zones/zone-file-export.ts';
import { powerdnsFiles } from '../../../functions/internal-dns/server/powerdns.ts';
import { startPowerDNS } from '../../powerdns/server.ts';
import { foreign, zone } from '../make.ts';
import { apiAt } from '../powerdns/api.ts';

const contents: [type: string, content: string][] = [
  ['A', '192.0.2.1'],
  ['AAAA', '2001:db8::1'],
  ['TXT', '"a;b \\"q\\" \\\\ \\200 (x)"'],
  ['MX', '10 mail.corp.internal.'],
  ['SRV', '0 5 5060 sip.example.com.'],
  ['CAA', '0 issue "ca.example"'],
  ['NAPTR', '100 10 "u" "E2U+sip" "!^.*$!sip:a@example.com!" .'],
  ['SSHFP', '4 2 123456789abcdef67890123456789abcdef67890123456789abcdef123456789'],
  ['HTTPS', '1 . alpn=h2,h3 ipv4hint=192.0.2.1'],
  ['TYPE65280', '\\# 2 abcd'],
];

test('another server loads it and serves the same records', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'master-file-'));
  const keyFile = join(dir, 'include/api.conf');
  const server = await startPowerDNS({ config: powerdnsFiles['pdns.conf'], dir });
  try {
    const database = new Database(new PowerDNS({ api: server.apiUrl, keyFile }));
    const more = contents.map(([type, content], index) => foreign(`n${index}.corp.internal.`, type, content));
    expect(await database.create('corp.internal.', zone('corp.internal', more).rrsets)).toEqual([]);
    const [served] = (await database.zones()) as [Zone];
    const text = [...exportZone(served)].join('');
    await database.remove(served);
    const taken = { name: served.name, kind: 'Native', nameservers: [], soa_edit_api: '', zone: text };
    await apiAt(server.apiUrl, keyFile)('POST', '/zones', taken);
    const [loaded] = (await database.zones()) as [Zone];
    const sorted = ({ rrsets }: Zone) =>
      rrsets.map(({ mark: _, ...rrset }) => rrset).sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
    expect(sorted(loaded)).toEqual(sorted(served));
  } finally {
    await server.stop();
    rmSync(dir, { recursive: true });
  }
});

test('it is written in chunks, the SOA first, and types that only PowerDNS knows are comments', () => {
  const many = Array.from({ length: 1000 }, (_, index) => foreign(`h${index}.corp.internal.`, 'A', '192.0.2.1'));
  const own = foreign('l.corp.internal.', 'LUA', `A "pickrandom({'192.0.2.7'})"`);
  const pieces = [...exportZone(zone('corp.internal', [own, ...many]))];
  expect(pieces.length).toBeGreaterThan(4);
  const lines = pieces.join('').split('\n');
  expect(lines[1]).toMatch(/^corp\.internal\. \d+ IN SOA /);
  expect(lines).toContain(`; l.corp.internal. 60 IN LUA A "pickrandom({'192.0.2.7'})"`);
  expect(lines).toContain('h999.corp.internal. 60 IN A 192.0.2.1');
});
