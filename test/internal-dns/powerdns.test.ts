/** Settings that depend on the spec, in a real PowerDNS. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { PowerDNS } from '../../functions/agent/powerdns/powerdns.ts';
import { Signer } from '../../functions/agent/signing/signer.ts';
import { powerdnsFiles, powerdnsFilesFor } from '../../functions/internal-dns/server/powerdns.ts';
import { MemoryKeys } from '../agent/signing/memory-keys.ts';
import { delv } from '../powerdns/delv.ts';
import { type RunningPowerDNS, startPowerDNS } from '../powerdns/server.ts';
import { waitTimeoutMs } from '../timeouts.ts';

const folder = mkdtempSync(join(tmpdir(), 'settings-'));
afterAll(() => rmSync(folder, { recursive: true }));

describe('start.sh finds the resolvers', () => {
  const loop = /^while read .*^done .*?$/ms.exec(powerdnsFiles['start.sh'])?.[0] ?? '';

  test.each([
    ['the cluster’s DNS', 'search a.svc\nnameserver 198.18.0.10\noptions ndots:5\n', 'resolver=198.18.0.10\n'],
    ['the first of several', 'nameserver 198.18.0.10\nnameserver 198.18.0.11\n', 'resolver=198.18.0.10\n'],
    ['IPv6', 'nameserver 2001:db8::a\n', 'resolver=[2001:db8::a]\n'],
    ['not by an interface', 'nameserver fe80::1%eth0\nnameserver 2001:db8::a\n', 'resolver=[2001:db8::a]\n'],
    ['after a comment and a tab', '# nameserver 1\nnameserver\t198.18.0.10\n', 'resolver=198.18.0.10\n'],
    ['nobody', 'search a.svc\n', ''],
  ])('%s', (_, resolvConf, expected) => {
    const [from, to] = [join(folder, 'resolv.conf'), join(folder, 'resolver.conf')];
    writeFileSync(from, resolvConf);
    const script = loop.replace('/etc/resolv.conf', from).replace('/run/internal-dns/resolver.conf', to);
    execFileSync('sh', ['-c', `set -eu\n${script}`]);
    expect(readFileSync(to, 'utf8')).toBe(expected);
  });
});

describe('with every setting, a real PowerDNS', { tags: ['PowerDNS', 'delv'] }, () => {
  const zone = { id: 'corp.internal.', name: 'corp.internal.' };
  const rrset = (name: string, type: string, content: string) => ({ name, type, ttl: 60, records: [content] });
  const servers: RunningPowerDNS[] = [];
  let server: RunningPowerDNS;
  let ds: string[];

  async function start(name: string, settings: string): Promise<PowerDNS> {
    const dir = join(folder, name);
    // Like start.sh: PowerDNS reads every file in this folder.
    mkdirSync(join(dir, 'include'), { recursive: true });
    writeFileSync(join(dir, 'include/resolver.conf'), settings);
    const config = powerdnsFilesFor({ dynamic: true, dname: true })['pdns.conf'];
    server = await startPowerDNS({ config, dir });
    servers.push(server);
    return new PowerDNS({ api: server.apiUrl, keyFile: join(dir, 'include/api.conf'), timeoutMs: waitTimeoutMs });
  }

  beforeAll(async () => {
    const elsewhere = await start('elsewhere', '');
    await elsewhere.create('example.internal.', [rrset('www.example.internal.', 'A', '198.51.100.80')]);
    const powerdns = await start('here', `resolver=127.0.0.1:${server.dnsPort}\n`);
    await powerdns.create(zone.name, [
      rrset(zone.name, 'SOA', 'ns1.corp.internal. hostmaster.corp.internal. 0 3600 600 604800 30'),
      rrset(zone.name, 'NS', 'ns1.corp.internal.'),
      rrset(zone.name, 'ALIAS', 'www.example.internal.'),
      rrset('www.new.corp.internal.', 'A', '192.0.2.80'),
      rrset('old.corp.internal.', 'DNAME', 'new.corp.internal.'),
      rrset('lua.corp.internal.', 'LUA', `A ";return {'192.0.2.7'}"`),
    ]);
    const signer = new Signer({ powerdns, keys: new MemoryKeys(), secret: 'memory', log: pino({ level: 'silent' }) });
    const signature = await signer.reconcile(zone, { mode: 'Signed', algorithm: 'ECDSA256', nsec3: false, ds: [] });
    ds = signature?.ds ?? [];
  });
  afterAll(async () => {
    for (const each of servers) await each.stop();
  });

  const addresses = async (name: string) =>
    (await server.query(name, 'A')).answers.map((answer) => (answer as { data: string }).data);
  const validated = (name: string, type = 'A') => delv({ port: server.dnsPort, zone: 'corp.internal', ds, name, type });

  test('answers with the addresses of the target of an ALIAS', async () => {
    expect(await addresses('corp.internal')).toEqual(['198.51.100.80']);
  });

  test('follows a DNAME, and signs the answer', async () => {
    expect(await addresses('www.old.corp.internal')).toContain('192.0.2.80');
    expect(await validated('www.old.corp.internal')).toMatch(/^; fully validated\n/);
  });

  test('evaluates a LUA record, and signs the answer', async () => {
    expect(await addresses('lua.corp.internal')).toEqual(['192.0.2.7']);
    expect(await validated('lua.corp.internal')).toMatch(/^; fully validated\n/);
  });

  test('cannot sign the addresses of an ALIAS, which is why a signed zone has none', async () => {
    expect(await validated('corp.internal', 'SOA')).toMatch(/^; fully validated\n/);
    expect(await validated('corp.internal')).not.toContain('fully validated');
  });
});
