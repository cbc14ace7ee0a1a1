/**
 * PowerDNS reads the same records in zone files, and its transfers are imported completely.
 *
 * @module-tag PowerDNS
 */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import type { Entry } from '../../../functions/dns/zone/rrset.ts';
import { parseZoneFile } from '../../../functions/dns/zone-file/zone-file.ts';
import { powerdnsFiles } from '../../../functions/internal-dns/server/powerdns.ts';
import { type RunningPowerDNS, startPowerDNS } from '../../powerdns/server.ts';
import { type FixtureName, fixture } from './fixtures.ts';

const dir = mkdtempSync(join(tmpdir(), 'transfer-'));
let server: RunningPowerDNS;

beforeAll(async () => {
  // Transfers are for migrations from another PowerDNS; the pod allows none.
  const config = powerdnsFiles['pdns.conf'].replace('disable-axfr=yes', 'disable-axfr=no');
  server = await startPowerDNS({ config, dir });
});
afterAll(async () => {
  await server?.stop();
  rmSync(dir, { recursive: true });
});

interface APIZone {
  id: string;
  rrsets: { name: string; type: string; ttl: number; records: { content: string }[] }[];
}

async function api(method: string, path: string, body?: unknown): Promise<unknown> {
  const headers = { 'X-API-Key': server.apiKey, 'Content-Type': 'application/json' };
  const url = `${server.apiUrl}/api/v1/servers/localhost${path}`;
  const response = await fetch(url, { method, headers, ...(body !== undefined && { body: JSON.stringify(body) }) });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
  return text === '' ? undefined : JSON.parse(text);
}

/** Loads a zone file into PowerDNS. */
const load = (name: string, text: string, more = {}) =>
  api('POST', '/zones', { name, kind: 'Native', zone: text, ...more }) as Promise<APIZone>;

afterEach(async () => {
  for (const { id } of (await api('GET', '/zones')) as APIZone[]) await api('DELETE', `/zones/${id}`);
});

const lines = ({ rrsets }: APIZone) =>
  rrsets
    .flatMap(({ name, type, ttl, records }) => records.map(({ content }) => `${name} ${ttl} ${type} ${content}`))
    .filter((line) => !line.includes(' SOA '));
const linesOf = (entries: Omit<Entry, 'at'>[]) =>
  entries.map(({ name, ttl, type, content }) => `${name} ${ttl} ${type} ${content}`);

test.each<FixtureName>(['corp.zone', '64-26.zone', '2.0.192.zone'])(
  'PowerDNS reads the same records in %s',
  async (name) => {
    const { text, zone } = fixture(name);
    const { entries, nameServers, defaultTTL } = parseZoneFile(text, { name: zone });
    const servers = nameServers.map(({ name }) => ({
      name: zone,
      type: 'NS' as const,
      ttl: defaultTTL,
      content: name,
    }));
    expect(linesOf([...entries, ...servers]).sort()).toEqual(lines(await load(zone, text)).sort());
  },
);

test('a signed zone that dig transfers is imported completely', { tags: 'dig' }, async () => {
  const { text, zone } = fixture('corp.zone');
  await load(zone, text, { dnssec: true });
  const args = ['@127.0.0.1', '-p', `${server.dnsPort}`, 'axfr', zone];
  const { stdout } = await promisify(execFile)('dig', args);
  const transferred = parseZoneFile(stdout, { name: zone });
  expect(transferred.issues).toEqual([]);
  expect(Object.keys(transferred.skipped)).toEqual(expect.arrayContaining(['RRSIG', 'NSEC', 'DNSKEY']));
  expect(linesOf(transferred.entries).sort()).toEqual(linesOf(parseZoneFile(text, { name: zone }).entries).sort());
});
