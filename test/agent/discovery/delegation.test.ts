/** What objects delegate, and the addresses of the servers: an agent with zones in memory, after loops of ExternalDNS. */
import { expect, test } from 'vitest';
import type { Endpoint } from '../../../functions/agent/discovery/endpoint.ts';
import { discoverable } from '../../../functions/contract/declaration.ts';
import { loop } from '../external-dns.ts';
import { declare, endpoint, makeAgent, type record, zoneWith } from '../make.ts';

type Records = ReturnType<typeof record>[];

const ns = endpoint('crd/a/e', 'dev.corp.internal', 'NS', 'ns1.dev.corp.internal');
const glue = (address: string, resource = 'crd/a/e') => endpoint(resource, 'ns1.dev.corp.internal', 'A', address);

/** What is published below dev after each step, and what is said of each name. */
async function after(steps: { wanted?: Endpoint[]; records?: Records }[]) {
  const { agent, database, clock, declare: take } = makeAgent();
  const webhook = {
    records: () => agent.records(),
    adjustEndpoints: (all: Endpoint[]) => agent.adjustEndpoints(all),
    applyChanges: (changes: Parameters<typeof agent.applyChanges>[0]) => agent.applyChanges(changes),
  };
  const discovery = { ownerID: 'corp', intervalSeconds: 2, recordTypes: [...discoverable] };
  let wanted: Endpoint[] = [];
  for (const { records = [], ...step } of steps) {
    wanted = step.wanted ?? wanted;
    take(declare({ zones: [zoneWith('corp.internal', records)], discovery }));
    await agent.reconcile();
    for (let i = 0; i < 4; i++) await loop(webhook, wanted);
    for (let i = 0; i < 5; i++) expect(await loop(webhook, wanted.toReversed())).toBeUndefined();
    clock.now += 60_000;
  }
  agent.explain();
  return {
    there: database.rrsets
      .filter(({ name }) => name.endsWith('dev.corp.internal.'))
      .map(({ name, type, records, mark }) => `${name.split('.')[0]} ${type} ${records} ${mark?.account}`)
      .sort(),
    said: (agent.names.list ?? []).map(({ name, verdict, message }) => `${name}: ${verdict} ${message}`),
  };
}

const answered = ['dev NS ns1.dev.corp.internal. external-dns/corp'];
const resolved = (address: string) => ({
  there: [...answered, `ns1 A ${address} external-dns/corp`],
  said: [
    'dev.corp.internal: Resolved answers NS ns1.dev.corp.internal',
    `ns1.dev.corp.internal: Resolved resolves to ${address}`,
  ],
});

test.each<[title: string, steps: { wanted: Endpoint[] }[]]>([
  ['with the delegation', [{ wanted: [ns, glue('192.0.2.9')] }]],
  ['after it', [{ wanted: [ns] }, { wanted: [ns, glue('192.0.2.9')] }]],
  ['before it', [{ wanted: [glue('192.0.2.9')] }, { wanted: [ns, glue('192.0.2.9')] }]],
  ['as it changes', [{ wanted: [ns, glue('192.0.2.1')] }, { wanted: [ns, glue('192.0.2.9')] }]],
  ['of another object of the namespace', [{ wanted: [ns] }, { wanted: [ns, glue('192.0.2.9', 'ingress/a/other')] }]],
])('the address of a server is published %s', async (_, steps) => {
  expect(await after(steps)).toEqual(resolved('192.0.2.9'));
});

test('the address of a server goes with its object, and the delegation stays', async () => {
  expect((await after([{ wanted: [ns, glue('192.0.2.9')] }, { wanted: [ns] }])).there).toEqual(answered);
});

test('the address of a server is that of nobody else', async () => {
  const { there, said } = await after([{ wanted: [ns] }, { wanted: [ns, glue('192.0.2.6', 'crd/evil/e')] }]);
  expect(there).toEqual(answered);
  expect(said[1]).toMatch(/^ns1\.dev\.corp\.internal: Duplicate dev\.corp\.internal is delegated/);
});

test('nothing else is published below it', async () => {
  const www = endpoint('crd/a/e', 'www.dev.corp.internal', 'A', '192.0.2.3');
  const { there, said } = await after([{ wanted: [ns] }, { wanted: [ns, www] }]);
  expect(there).toEqual(answered);
  expect(said[1]).toMatch(/^www\.dev\.corp\.internal: Duplicate dev\.corp\.internal is delegated/);
});

test('a server may have the name itself', async () => {
  const self = endpoint('crd/a/e', 'dev.corp.internal', 'NS', 'dev.corp.internal');
  const address = endpoint('crd/a/e', 'dev.corp.internal', 'A', '192.0.2.9');
  const steps = [{ wanted: [self] }, { wanted: [self, address] }];
  expect((await after(steps)).there).toEqual([
    'dev A 192.0.2.9 external-dns/corp',
    'dev NS dev.corp.internal. external-dns/corp',
  ]);
});

test('a delegation hides no record at its own name', async () => {
  const records = [{ name: 'dev', type: 'A' as const, values: ['192.0.2.7'] }];
  const declared = ['dev A 192.0.2.7 internal-dns'];
  expect((await after([{ records, wanted: [ns] }])).there).toEqual(declared);
  expect((await after([{ wanted: [ns] }, { records }])).there).toEqual(declared);
  const other = endpoint('ingress/b/x', 'dev.corp.internal', 'A', '192.0.2.7');
  expect((await after([{ wanted: [other] }, { wanted: [other, ns] }])).there).toEqual([
    'dev A 192.0.2.7 external-dns/corp',
  ]);
});
