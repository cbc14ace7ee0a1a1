/** Delegations that objects request, with glue: an agent with zones in memory, after loops of ExternalDNS. */
import { expect, test } from 'vitest';
import type { Endpoint } from '../../../functions/agent/discovery/endpoint.ts';
import { discoverable } from '../../../functions/contract/declaration.ts';
import { loop } from '../external-dns.ts';
import { declare, endpoint, makeAgent, type record, zoneWith } from '../make.ts';

type Records = ReturnType<typeof record>[];

const ns = endpoint('crd/a/e', 'dev.corp.internal', 'NS', 'ns1.dev.corp.internal');
const glue = (address: string, resource = 'crd/a/e') => endpoint(resource, 'ns1.dev.corp.internal', 'A', address);

/** Runs the steps. Returns the records published below dev, and the message on each name. */
async function after(steps: { endpoints?: Endpoint[]; records?: Records }[]) {
  const { agent, database, clock, declare: take } = makeAgent();
  const webhook = {
    records: () => agent.records(),
    adjustEndpoints: (all: Endpoint[]) => agent.adjustEndpoints(all),
    applyChanges: (changes: Parameters<typeof agent.applyChanges>[0]) => agent.applyChanges(changes),
  };
  const discovery = { ownerID: 'corp', intervalSeconds: 2, recordTypes: [...discoverable] };
  let endpoints: Endpoint[] = [];
  for (const { records = [], ...step } of steps) {
    endpoints = step.endpoints ?? endpoints;
    take(declare({ zones: [zoneWith('corp.internal', records)], discovery }));
    await agent.reconcile();
    for (let i = 0; i < 4; i++) await loop(webhook, endpoints);
    for (let i = 0; i < 5; i++) expect(await loop(webhook, endpoints.toReversed())).toBeUndefined();
    clock.now += 60_000;
  }
  agent.explain();
  return {
    published: database.rrsets
      .filter(({ name }) => name.endsWith('dev.corp.internal.'))
      .map(({ name, type, records, mark }) => `${name.split('.')[0]} ${type} ${records} ${mark?.account}`)
      .sort(),
    messages: (agent.names.list ?? []).map(({ name, verdict, message }) => `${name}: ${verdict} ${message}`),
  };
}

const answered = ['dev NS ns1.dev.corp.internal. external-dns/corp'];
const resolved = (address: string) => ({
  published: [...answered, `ns1 A ${address} external-dns/corp`],
  messages: [
    'dev.corp.internal: Resolved answers NS ns1.dev.corp.internal',
    `ns1.dev.corp.internal: Resolved resolves to ${address}`,
  ],
});

test.each<[title: string, steps: { endpoints: Endpoint[] }[]]>([
  ['with the delegation', [{ endpoints: [ns, glue('192.0.2.9')] }]],
  ['after it', [{ endpoints: [ns] }, { endpoints: [ns, glue('192.0.2.9')] }]],
  ['before it', [{ endpoints: [glue('192.0.2.9')] }, { endpoints: [ns, glue('192.0.2.9')] }]],
  ['as it changes', [{ endpoints: [ns, glue('192.0.2.1')] }, { endpoints: [ns, glue('192.0.2.9')] }]],
  [
    'of another object of the namespace',
    [{ endpoints: [ns] }, { endpoints: [ns, glue('192.0.2.9', 'ingress/a/other')] }],
  ],
])('the address of a server is published %s', async (_, steps) => {
  expect(await after(steps)).toEqual(resolved('192.0.2.9'));
});

test('the address of a server is deleted with its object, and the delegation stays', async () => {
  expect((await after([{ endpoints: [ns, glue('192.0.2.9')] }, { endpoints: [ns] }])).published).toEqual(answered);
});

test('the address of a server cannot come from another namespace', async () => {
  const { published, messages } = await after([
    { endpoints: [ns] },
    { endpoints: [ns, glue('192.0.2.6', 'crd/evil/e')] },
  ]);
  expect(published).toEqual(answered);
  expect(messages[1]).toMatch(/^ns1\.dev\.corp\.internal: Duplicate dev\.corp\.internal is delegated/);
});

test('nothing else is published below a delegation', async () => {
  const www = endpoint('crd/a/e', 'www.dev.corp.internal', 'A', '192.0.2.3');
  const { published, messages } = await after([{ endpoints: [ns] }, { endpoints: [ns, www] }]);
  expect(published).toEqual(answered);
  expect(messages[1]).toMatch(/^www\.dev\.corp\.internal: Duplicate dev\.corp\.internal is delegated/);
});

test('a server may be the delegated name itself', async () => {
  const self = endpoint('crd/a/e', 'dev.corp.internal', 'NS', 'dev.corp.internal');
  const address = endpoint('crd/a/e', 'dev.corp.internal', 'A', '192.0.2.9');
  const steps = [{ endpoints: [self] }, { endpoints: [self, address] }];
  expect((await after(steps)).published).toEqual([
    'dev A 192.0.2.9 external-dns/corp',
    'dev NS dev.corp.internal. external-dns/corp',
  ]);
});

test('a delegation hides no record at its own name', async () => {
  const records = [{ name: 'dev', type: 'A' as const, values: ['192.0.2.7'] }];
  const declared = ['dev A 192.0.2.7 internal-dns'];
  expect((await after([{ records, endpoints: [ns] }])).published).toEqual(declared);
  expect((await after([{ endpoints: [ns] }, { records }])).published).toEqual(declared);
  const other = endpoint('ingress/b/x', 'dev.corp.internal', 'A', '192.0.2.7');
  expect((await after([{ endpoints: [other] }, { endpoints: [other, ns] }])).published).toEqual([
    'dev A 192.0.2.7 external-dns/corp',
  ]);
});
