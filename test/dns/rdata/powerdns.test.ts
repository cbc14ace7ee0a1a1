/**
 * PowerDNS returns every type as the same text, and answers with the octets of the RFCs.
 *
 * @module-tag PowerDNS
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { PowerDNS } from '../../../functions/agent/powerdns/powerdns.ts';
import { apiContent } from '../../../functions/dns/rdata/api-content.ts';
import { parseContent } from '../../../functions/dns/rdata/rdata.ts';
import { type RecordType, recordTypes } from '../../../functions/dns/rdata/record-type.ts';
import { powerdnsFiles } from '../../../functions/internal-dns/server/powerdns.ts';
import { type RunningPowerDNS, startPowerDNS } from '../../powerdns/server.ts';
import { waitTimeoutMs } from '../../timeouts.ts';
import { rdataOf } from '../query-rdata.ts';
import { values } from './arbitraries.ts';
import { wire, wireZone } from './wire-format.ts';

const dir = mkdtempSync(join(tmpdir(), 'content-'));
const keyFile = join(dir, 'include/api.conf');
let server: RunningPowerDNS;
let powerdns: PowerDNS;

beforeAll(async () => {
  server = await startPowerDNS({ config: powerdnsFiles['pdns.conf'], dir });
  powerdns = new PowerDNS({ api: server.apiUrl, keyFile, timeoutMs: waitTimeoutMs });
});
afterAll(async () => {
  await server?.stop();
  rmSync(dir, { recursive: true });
});

/** Writes contents, each at its own name, and reads them back. */
async function written(zone: string, type: string, contents: string[]): Promise<(string | undefined)[]> {
  const header = await powerdns.create(zone, []);
  const nameOf = (index: number) => `n${index}.${zone}`;
  await powerdns.patch(
    header,
    contents.map((content, index) => ({
      action: 'replace',
      rrset: { name: nameOf(index), type, ttl: 60, records: [content] },
    })),
  );
  const { rrsets } = await powerdns.zone(header);
  const stored = new Map(rrsets.filter((rrset) => rrset.type === type).map((r) => [r.name, r.records.join(' | ')]));
  return contents.map((_, index) => stored.get(nameOf(index)));
}

async function clear(): Promise<void> {
  for (const header of await powerdns.zones()) await powerdns.remove({ ...header, rrsets: [] });
}
afterEach(clear);

test.each(recordTypes)('%s is returned by PowerDNS as the same text', async (type) => {
  const zone = 'corp.internal.';
  const manyAtOnce = fc.array(values[type], { minLength: 100, maxLength: 200 });
  await fc.assert(
    fc
      .asyncProperty(manyAtOnce, async (texts) => {
        const contents = texts.map((text) => parseContent(type, text, zone));
        expect(await written(zone, type, contents)).toEqual(contents);
      })
      .afterEach(clear),
    // All at once is enough: PowerDNS names the record that it refuses.
    { numRuns: 3, endOnFailure: true },
  );
});

test('the longest text is returned, though no answer could hold it', async () => {
  const longest = parseContent('TXT', 'x'.repeat(65_279), 'corp.internal.');
  expect(await written('corp.internal.', 'TXT', [longest])).toEqual([longest]);
});

test('types whose content the API does not parse are returned, too', async () => {
  expect(await written('corp.internal.', 'TYPE1234', ['\\# 2 abcd'])).toEqual(['\\# 2 abcd']);
  const code = 'A "return \\"192.0.2.1\\""';
  expect(apiContent('LUA', code)).toBe(code);
});

describe('PowerDNS refuses or changes what is refused here because of it', () => {
  test.each([
    ['HTTPS', '1 . key667=""', 'Not in expected format'],
    ['HTTPS', '1 . key667="a(b"', "SvcParam '(b\"' is not recognized"],
    ['HTTPS', '1 . alpn=a\\;b', 'Not in expected format'],
    ['HTTPS', '1 . alpn=\\001\\002', 'Not in expected format'],
    ['HTTPS', '0 . port=1', 'trailing data'],
    ['CNAME', 'a"b.example.com.', 'Not in expected format'],
    ['NS', '_a.example.com.', 'non-hostname content'],
    ['MX', '10 a_b.example.com.', 'non-hostname content'],
    ['SRV', '0 0 1 _a.example.com.', 'non-hostname content'],
    ['A', '010.0.0.1', 'Not in expected format'],
  ])('%s %s', async (type, content, message) => {
    const header = await powerdns.create('corp.internal.', []);
    const rrset = { name: 'n.corp.internal.', type, ttl: 60, records: [content] };
    await expect(powerdns.patch(header, [{ action: 'replace', rrset }])).rejects.toThrow(message);
    expect(() => parseContent(type as RecordType, content, 'corp.internal.')).toThrow();
  });
});

test('answers over DNS have the octets of the RFCs, for every type', async () => {
  const header = await powerdns.create(`${wireZone}.`, []);
  await powerdns.patch(
    header,
    wire.map(([type, , text], i) => {
      const content = parseContent(type, text, `${wireZone}.`);
      return { action: 'replace', rrset: { name: `n${i}.${wireZone}.`, type, ttl: 60, records: [content] } };
    }),
  );
  const answers: string[] = [];
  // One after the other, as the TCP connections of a client are limited.
  for (const [i, [type]] of wire.entries()) {
    answers.push(await rdataOf({ port: server.dnsPort }, `n${i}.${wireZone}.`, type));
  }
  expect(wire.map(([type, section, text], i) => [type, section, text, answers[i]])).toEqual(
    wire.map(([type, section, text, octets]) => [type, section, text, octets.replaceAll(' ', '')]),
  );
  const counts = Map.groupBy(wire, ([type]) => type);
  expect(recordTypes.filter((type) => type !== 'ALIAS' && (counts.get(type)?.length ?? 0) < 2)).toEqual([]);
});
