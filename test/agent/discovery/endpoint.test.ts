import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type Endpoint,
  endpointChanges,
  endpointOf,
  endpoints,
  rrsetOf,
} from '../../../functions/agent/discovery/endpoint.ts';
import { parse } from '../../../functions/agent/lib/parse.ts';
import { Database } from '../../../functions/agent/powerdns/database.ts';
import { PowerDNS } from '../../../functions/agent/powerdns/powerdns.ts';
import { type Change, deletion, ownershipOf, replacement, type Zone } from '../../../functions/agent/powerdns/rrset.ts';
import type { Discoverable } from '../../../functions/agent/sources/target.ts';
import { discoverable } from '../../../functions/contract/declaration.ts';
import { powerdnsFiles } from '../../../functions/internal-dns/server/powerdns.ts';
import { values } from '../../dns/rdata/arbitraries.ts';
import { startPowerDNS } from '../../powerdns/server.ts';
import { waitTimeoutMs } from '../../timeouts.ts';
import { loop, type Webhook } from '../external-dns.ts';
import { endpoint } from '../make.ts';

test('an RRset has one canonical form, whatever the notation of its endpoint', () => {
  const desired = {
    ...endpoint('ingress/a/web', 'WWW.corp.internal.', 'AAAA', '2001:DB8::2', '2001:db8:0::1', '2001:db8::2'),
  };
  expect(rrsetOf(desired, 'corp')).toEqual({
    name: 'www.corp.internal.',
    type: 'AAAA',
    ttl: 60,
    records: ['2001:db8::1', '2001:db8::2'],
    mark: { account: 'external-dns/corp', content: 'ingress/a/web' },
  });
});

/** RDATA as people write it, as PowerDNS stores it, and as ExternalDNS receives it. */
const forms: [type: string, written: string, content: string, expected?: string][] = [
  ['A', '192.0.2.1', '192.0.2.1'],
  ['A', 'lb.example.com', 'lb.example.com'],
  ['AAAA', '2001:DB8:0::1', '2001:db8::1'],
  ['AAAA', '::ffff:c000:201', '::ffff:192.0.2.1'],
  ['CNAME', 'LB.Example.com', 'lb.example.com.', 'lb.example.com'],
  ['CNAME', 'lb.example.com.', 'lb.example.com.', 'lb.example.com'],
  ['CNAME', 'lb', 'lb.', 'lb'],
  ['CNAME', 'bücher.example.com', 'xn--bcher-kva.example.com.', 'xn--bcher-kva.example.com'],
  ['CNAME', 'a\\.b.example.com', 'a\\.b.example.com.', 'a\\.b.example.com'],
  ['CNAME', 'a..b', 'a..b'],
  ['MX', '10 Mail.Example.com', '10 mail.example.com.', '10 mail.example.com'],
  ['MX', ' 010   mail.example.com. ', '10 mail.example.com.', '10 mail.example.com'],
  ['MX', '0 .', '0 .'],
  ['MX', '0 @', '0 @'],
  ['NS', 'NS1.example.com', 'ns1.example.com.', 'ns1.example.com'],
  ['PTR', 'host.corp.internal', 'host.corp.internal.', 'host.corp.internal'],
  ['SRV', '10 5 5060 Sip.example.com.', '10 5 5060 sip.example.com.'],
  ['SRV', '0 0 0 .', '0 0 0 .'],
  ['TXT', 'v=spf1 -all', '"v=spf1 -all"'],
  ['TXT', '"v=spf1 -all"', '"v=spf1 -all"'],
  ['TXT', '"two" "strings"', '"two" "strings"'],
  ['TXT', 'a "quoted" word; é', '"a \\"quoted\\" word; \\195\\169"'],
  ['TXT', 'Key', '"Key"', '"\\075ey"'],
  ['LUA', 'A "x"', 'A "x"'],
];

test.each(forms)('%s: %s is %s', (type, written, content, expected = content) => {
  const rrset = rrsetOf(endpoint('crd/a/x', 'x.corp.internal', type, written), 'corp');
  expect(rrset.records).toEqual([content]);
  expect(endpointOf(rrset).targets).toEqual([expected]);
  expect(rrsetOf(endpointOf(rrset), 'corp')).toEqual(rrset);
});

const targetsOf = (type: Discoverable) => fc.array(values[type], { minLength: 1, maxLength: 4 });

test.each(discoverable)('an endpoint of %s survives the round trip', (type) => {
  fc.assert(
    fc.property(targetsOf(type), (targets) => {
      const rrset = rrsetOf(endpoint('crd/a/x', 'x.corp.internal', type, ...targets), 'corp');
      const answer = endpointOf(rrset);
      expect(rrsetOf(answer, 'corp')).toEqual(rrset);
      expect(endpointOf(rrsetOf(answer, 'corp'))).toEqual(answer);
    }),
  );
});

test('a TTL is kept, and is 60 s by default', () => {
  const desired = endpoint('x', 'a.corp.internal', 'A', '192.0.2.1');
  expect([undefined, 0, 15].map((recordTTL) => rrsetOf({ ...desired, recordTTL }, 'corp').ttl)).toEqual([60, 60, 15]);
});

test('endpoints are returned in the notation of ExternalDNS', () => {
  const desired = { ...endpoint('x', '*.w.corp.internal', 'CNAME', 'lb.example.com'), recordTTL: 15 };
  expect(endpointOf(rrsetOf(desired, 'corp'))).toEqual(desired);
});

/** A webhook without evaluation: every endpoint is published. */
function publishing(database: Pick<Database, 'zones' | 'apply'>): Webhook & { writes: number } {
  const zone = async () => (await database.zones()).find(({ name }) => name === 'corp.internal.') as Zone;
  const webhook = {
    writes: 0,
    records: async () => (await zone()).rrsets.filter((r) => ownershipOf(r) === 'discovered').map(endpointOf),
    adjustEndpoints: async (endpoints: Endpoint[]) =>
      endpoints.map((endpoint) => endpointOf(rrsetOf(endpoint, 'corp'))),
    applyChanges: async ({
      create = [],
      updateNew = [],
      delete: deleted = [],
    }: Parameters<Webhook['applyChanges']>[0]) => {
      webhook.writes++;
      const rrsets = (list: Endpoint[]) => list.map((endpoint) => rrsetOf(endpoint, 'corp'));
      const changes: Change[] = [
        ...rrsets(deleted).map(deletion),
        ...rrsets([...create, ...updateNew]).map(replacement),
      ];
      expect(await database.apply(await zone(), changes)).toEqual([]);
    },
  };
  return webhook;
}

describe('with PowerDNS', { tags: 'PowerDNS' }, () => {
  test('every type is read back as it was written, so that the next loop sends nothing', {}, async () => {
    const dir = mkdtempSync(join(tmpdir(), 'endpoint-'));
    const server = await startPowerDNS({ config: powerdnsFiles['pdns.conf'], dir });
    try {
      const powerdns = new PowerDNS({
        api: server.apiUrl,
        keyFile: join(dir, 'include/api.conf'),
        timeoutMs: waitTimeoutMs,
      });
      await powerdns.create('corp.internal.', []);
      const webhook = publishing(new Database(powerdns, { maxAgeMs: 0 }));
      const written = forms.filter(
        ([type, , content]) => discoverable.some((d) => d === type) && !/^(lb\.|a\.\.|0 @)/.test(content),
      );
      const tables = written.map(([type, text], i) => endpoint('crd/a/x', `t${i}.corp.internal`, type, text));
      const drawn = discoverable.flatMap((type) =>
        fc
          .sample(targetsOf(type), 40)
          .map((targets) => (type === 'CNAME' ? targets.slice(0, 1) : targets))
          .map((targets, i) =>
            endpoint('crd/a/x', `${type}${i}.corp.internal`, type, ...targets.filter((t) => !/@\s*$/.test(t))),
          ),
      );
      const endpoints = [...tables, ...drawn].filter(({ targets }) => targets.length > 0);
      expect((await loop(webhook, endpoints))?.create).toHaveLength(endpoints.length);
      expect(await loop(webhook, endpoints)).toBeUndefined();
      const byName = (a: Endpoint, b: Endpoint) => (a.dnsName < b.dnsName ? -1 : 1);
      expect((await webhook.records()).sort(byName)).toEqual((await webhook.adjustEndpoints(endpoints)).sort(byName));

      // Only the case has changed.
      const text = (target: string) => endpoint('crd/a/x', 'case.corp.internal', 'TXT', target);
      await loop(webhook, [text('Key')]);
      expect((await loop(webhook, [text('kEY')]))?.updateNew).toHaveLength(1);
      expect(await loop(webhook, [text('kEY')])).toBeUndefined();
      const { answers } = await server.query('case.corp.internal', 'TXT');
      expect(answers.map((a) => String((a as { data: unknown }).data))).toEqual(['kEY']);
    } finally {
      await server.stop();
      rmSync(dir, { recursive: true });
    }
  });
});

test('fields that Go omits or writes as null are empty', () => {
  expect(parse('null', endpoints)).toEqual([]);
  expect(parse('[{"recordType":"A","setIdentifier":"x","providerSpecific":[{"name":"alias"}]}]', endpoints)).toEqual([
    { dnsName: '', targets: [], recordType: 'A' },
  ]);
  expect(parse('{"create":null}', endpointChanges)).toEqual({ create: [] });
});

test.each([
  ['', /^Unexpected end of JSON input$/],
  ['{}', /^text: Invalid input: expected array, received object$/],
  ['[{"dnsName":1}]', /^0\.dnsName: Invalid input: expected string, received number$/],
  ['[null]', /^0: /],
])('an invalid body is rejected in one line: %s', (text, message) => {
  expect(() => parse(text, endpoints)).toThrow(message);
});
