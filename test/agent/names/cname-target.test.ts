/** A host whose CNAME does not lead to an address is not Resolved, and the message names the end of the chain. */
import { expect, test } from 'vitest';
import type { OutOfZoneNames, OutOfZoneState } from '../../../functions/agent/resolver/out-of-zone-resolver.ts';
import { foreign, record, zones, zoneWith } from '../make.ts';
import { agentWithSources } from './agent-with-sources.ts';
import { www } from './fake-source-lister.ts';

const x = 'ingress/a/x';

/** States of names outside the zones, set by the test. */
class FakeOutOfZoneNames implements OutOfZoneNames {
  version = 0;
  watched: string[] = [];
  readonly #states = new Map<string, OutOfZoneState>();

  set(name: string, state: OutOfZoneState): void {
    this.#states.set(`${name}.`, state);
    this.version += 1;
  }

  stateOf(name: string): OutOfZoneState | undefined {
    return this.#states.get(name);
  }

  watch(names: ReadonlySet<string>): void {
    this.watched = [...names];
  }
}

const declared = [
  zoneWith('corp.internal', [
    record('host', 'A', '192.0.2.7'),
    record('six', 'AAAA', '2001:db8::7'),
    record('text', 'TXT', 'x'),
    record('a.b.empty', 'A', '192.0.2.7'),
    record('on', 'CNAME', 'host'),
    record('lost', 'CNAME', 'gone'),
    record('out', 'CNAME', 'lb.example.com.'),
    record('alias', 'ALIAS', 'lb.example.com.'),
    record('old', 'DNAME', 'new'),
    record('here.new', 'A', '192.0.2.7'),
    record('*.wild', 'A', '192.0.2.7'),
    record('sub', 'NS', 'ns.example.com.'),
  ]),
  ...zones('lab.internal'),
];
const orOther = 'or give the object another target';
const other = 'give the object another target';

test.each<[string, string]>([
  ['host.corp.internal', 'Resolved: resolves to host.corp.internal'],
  ['six.corp.internal', 'Resolved: resolves to six.corp.internal'],
  ['on.corp.internal', 'Resolved: resolves to on.corp.internal'],
  ['here.old.corp.internal', 'Resolved: resolves to here.old.corp.internal'],
  ['any.wild.corp.internal', 'Resolved: resolves to any.wild.corp.internal'],
  ['ns1.lab.internal', 'Resolved: resolves to ns1.lab.internal'],
  // Delegated to another server.
  ['w.sub.corp.internal', 'Resolved: resolves to w.sub.corp.internal'],
  [
    'gone.corp.internal',
    `NoAddress: the CNAME chain ends at gone.corp.internal, which does not exist: declare it, ${orOther}`,
  ],
  [
    'lost.corp.internal',
    `NoAddress: the CNAME chain ends at gone.corp.internal, which does not exist: declare it, ${orOther}`,
  ],
  [
    'gone.old.corp.internal',
    `NoAddress: the CNAME chain ends at gone.new.corp.internal, which does not exist: declare it, ${orOther}`,
  ],
  [
    'text.corp.internal',
    `NoAddress: the CNAME chain ends at text.corp.internal, which has no address: declare one, ${orOther}`,
  ],
  [
    'b.empty.corp.internal',
    `NoAddress: the CNAME chain ends at b.empty.corp.internal, which has no address: declare one, ${orOther}`,
  ],
  [
    'gone.lab.internal',
    `NoAddress: the CNAME chain ends at gone.lab.internal, which does not exist: declare it, ${orOther}`,
  ],
])('a CNAME to %s', async (target, verdict) => {
  const agent = await agentWithSources({}, { zones: declared, addresses: ['192.0.2.53'] });
  agent.setObject(x, { targets: [target] });
  await agent.sync(8);
  expect(agent.verdictOf(x)).toBe(verdict);
});

const asCNAMEs = { targets: { hostNames: 'CNAME' } };
const toFewClients =
  'clients whose resolver queries this server for nothing but its zones get no address for lb.example.com: set discovery.targets.hostNames: Addresses';

test.each<[string, OutOfZoneState | undefined, string]>([
  ['lb.example.com', 'Addresses', `Resolved: resolves to lb.example.com; ${toFewClients}`],
  ['lb.example.com', undefined, `Resolved: resolves to lb.example.com; ${toFewClients}`],
  [
    'lb.example.com',
    'Absent',
    `NoAddress: the CNAME chain ends at lb.example.com, which the pod's resolver cannot find (NXDOMAIN): ${other}, or fix that name`,
  ],
  [
    'lb.example.com',
    'NoAddress',
    `NoAddress: the CNAME chain ends at lb.example.com, for which the pod's resolver has no address (NODATA): ${other}, or fix that name`,
  ],
  [
    'lb.example.com',
    'Failed',
    `NoAddress: the CNAME chain ends at lb.example.com, for which the pod's resolver answers SERVFAIL: ${other}, or find the cause with dig`,
  ],
  [
    'out.corp.internal',
    'Absent',
    `NoAddress: the CNAME chain ends at lb.example.com, which the pod's resolver cannot find (NXDOMAIN): ${other}, or fix that name`,
  ],
  [
    'alias.corp.internal',
    'Absent',
    `NoAddress: the CNAME chain ends at lb.example.com, which the pod's resolver cannot find (NXDOMAIN): ${other}, or fix that name`,
  ],
])('a CNAME to %s, which the resolver finds %s', async (target, state, verdict) => {
  const outside = new FakeOutOfZoneNames();
  const agent = await agentWithSources(asCNAMEs, { zones: declared }, { outOfZoneNames: outside });
  agent.setObject(x, { targets: [target] });
  await agent.sync(8);
  expect(outside.watched).toEqual(['lb.example.com.']);
  // The target of an ALIAS is resolved by PowerDNS.
  const note = target === 'alias.corp.internal' ? '' : `; ${toFewClients}`;
  expect(agent.verdictOf(x)).toBe(`Resolved: resolves to ${target}${note}`);
  if (state) outside.set('lb.example.com', state);
  await agent.passWithoutSync(1);
  expect(agent.verdictOf(x)).toBe(verdict);
});

test('a new host without a working target is Pending, then NoAddress, and resolves once the target exists', async () => {
  const agent = await agentWithSources({}, { zones: declared });
  agent.setObject(x, { targets: ['db.corp.internal'] });
  await agent.sync(2);
  expect(agent.verdictOf(x)).toMatch(/^Pending: the CNAME chain ends at db\.corp\.internal, which does not exist: /);
  await agent.sync(6);
  expect(agent.agent.names.counts()).toMatchObject({ NoAddress: 1, Resolved: 0, Pending: 0 });
  expect(agent.agent.report()?.names).toMatchObject({ total: 1, resolved: 0, problems: [{ verdict: 'NoAddress' }] });
  agent.setObject('ingress/b/y', { hosts: ['db.corp.internal'], targets: ['192.0.2.9'] });
  await agent.sync(2);
  expect(agent.verdictOf(x)).toBe('Resolved: resolves to db.corp.internal');
  agent.setObject('ingress/b/y', undefined);
  await agent.sync(8);
  expect(agent.verdictOf(x)).toMatch(/^NoAddress: /);
});

test('a CNAME loop that was closed by hand is reported, and the next sync removes its discovered part', async () => {
  const agent = await agentWithSources();
  agent.setObject(x, { targets: ['b.corp.internal'] });
  agent.setObject('ingress/b/y', { hosts: ['b.corp.internal'], targets: ['192.0.2.9'] });
  await agent.sync(4);
  expect(agent.verdictOf(x)).toBe('Resolved: resolves to b.corp.internal');
  agent.database.edit('corp.internal.', (zone) => {
    zone.rrsets = zone.rrsets.filter(({ name }) => name !== 'b.corp.internal.');
    zone.rrsets.push(foreign('b.corp.internal.', 'CNAME', `${www}.`));
  });
  await agent.passWithoutSync(1);
  expect(agent.verdictOf(x)).toMatch(
    /^Refused: CNAME loop b\.corp\.internal -> www\.corp\.internal -> b\.corp\.internal: /,
  );
  await agent.sync(2);
  expect(agent.verdictOf(x)).toMatch(
    /^Refused: cannot publish: CNAME loop www\.corp\.internal -> b\.corp\.internal -> www\.corp/,
  );
  expect(agent.database.rrsets.some(({ name }) => name === `${www}.`)).toBe(false);
});

test('a CNAME that leads outside is no answer for clients of the resolver either, which follows none', async () => {
  const resolver = { service: 'r', ports: { agents: 1, metrics: 2 }, certificates: [], upstreams: [] };
  const agent = await agentWithSources(asCNAMEs, { zones: declared, resolver });
  agent.setObject(x, { targets: ['lb.example.com'] });
  await agent.sync(8);
  expect(agent.verdictOf(x)).toBe(
    'Resolved: resolves to lb.example.com; clients of the resolver get no address for lb.example.com: set discovery.targets.hostNames: Addresses',
  );
});
