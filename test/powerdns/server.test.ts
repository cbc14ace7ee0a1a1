/** @module-tag PowerDNS */
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { query } from './query.ts';
import { type RunningPowerDNS, startPowerDNS } from './server.ts';

// The pod's paths and ports, none of which exist here.
const config = `
launch=gsqlite3
gsqlite3-database=/var/lib/powerdns/pdns.sqlite3
include-dir=/run/internal-dns
socket-dir=/var/run/pdns
local-address=0.0.0.0,::
local-port=5353
api=yes
webserver=yes
webserver-address=127.0.0.1
webserver-port=8081
security-poll-suffix=
enable-lua-record-updates=no
`;

const dir = mkdtempSync(join(tmpdir(), 'pdns-'));
let server: RunningPowerDNS;

beforeAll(async () => {
  server = await startPowerDNS({ config, dir });
});
afterAll(async () => {
  await server?.stop();
  rmSync(dir, { recursive: true });
});

async function api(method: string, path: string, body?: object): Promise<unknown> {
  const response = await fetch(`${server.apiUrl}/api/v1/servers/localhost${path}`, {
    method,
    headers: { 'X-API-Key': server.apiKey },
    body: JSON.stringify(body),
  });
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
  return response.json();
}

const www = { name: 'www.corp.internal', type: 'A', ttl: 60, data: '192.0.2.1' };

test('what the API is given is answered over UDP and TCP', async () => {
  await api('POST', '/zones', {
    name: 'corp.internal.',
    kind: 'Native',
    nameservers: ['ns1.corp.internal.'],
    rrsets: [{ name: `${www.name}.`, type: www.type, ttl: www.ttl, records: [{ content: www.data }] }],
  });
  for (const tcp of [false, true]) {
    const reply = await server.query(www.name, 'A', { tcp });
    expect(reply).toMatchObject({ rcode: 'NOERROR', answers: [www], authority: [], flags: ['aa', 'rd'] });
  }
  const missing = await server.query('missing.corp.internal');
  expect(missing).toMatchObject({
    rcode: 'NXDOMAIN',
    answers: [],
    authority: [{ type: 'SOA', name: 'corp.internal' }],
  });
});

test('a restart keeps the records, after a kill too', async () => {
  await server.restart();
  expect((await server.query(www.name)).answers).toMatchObject([www]);
  server.kill('SIGKILL');
  await server.restart();
  expect((await server.query(www.name)).answers).toMatchObject([www]);
});

test('nobody reads the key but PowerDNS', () => {
  expect(statSync(join(dir, 'include/api.conf')).mode & 0o077).toBe(0);
  expect(readFileSync(join(dir, 'pdns.log'), 'utf8')).not.toContain(server.apiKey);
});

test('a wiped server starts again, empty', async () => {
  server.wipe();
  await server.restart();
  expect(await server.query(www.name)).toMatchObject({ rcode: 'REFUSED', answers: [] });
  expect(await api('GET', '/zones')).toEqual([]);
});

test('a configuration that PowerDNS refuses is quoted from its log', async () => {
  const broken = join(dir, 'broken');
  await expect(startPowerDNS({ config: `${config}no-such-setting=1\n`, dir: broken })).rejects.toThrow(
    /no-such-setting/,
  );
});

test('a question nobody answers is an error that says whom it was for', async () => {
  await server.stop();
  for (const tcp of [false, true]) {
    const question = { name: www.name, port: server.dnsPort, tcp };
    await expect(query(question)).rejects.toThrow(`cannot ask 127.0.0.1:${server.dnsPort} for ${www.name} A: `);
  }
});
