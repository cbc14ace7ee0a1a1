/** What is answered and comes to no address is not Resolved, and the sentence says where it ends. */
import { expect, test } from 'vitest';
import type { OutOfZoneNames, OutOfZoneState } from '../../../functions/agent/resolver/out-of-zone-names.ts';
import { foreign, record, zones, zoneWith } from '../make.ts';
import { www } from './seen-objects.ts';
import { sightedAgent } from './sighted-agent.ts';

const x = 'ingress/a/x';

/** What a test says of names elsewhere. */
class KnownOutside implements OutOfZoneNames {
  version = 0;
  followed: string[] = [];
  readonly #states = new Map<string, OutOfZoneState>();

  say(name: string, state: OutOfZoneState): void {
    this.#states.set(`${name}.`, state);
    this.version += 1;
  }

  of(name: string): OutOfZoneState | undefined {
    return this.#states.get(name);
  }

  follow(names: ReadonlySet<string>): void {
    this.followed = [...names];
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
const give = 'or give the object another target';
const other = 'give the object another target';

test.each<[string, string]>([
  ['host.corp.internal', 'Resolved: resolves to host.corp.internal'],
  ['six.corp.internal', 'Resolved: resolves to six.corp.internal'],
  ['on.corp.internal', 'Resolved: resolves to on.corp.internal'],
  ['here.old.corp.internal', 'Resolved: resolves to here.old.corp.internal'],
  ['any.wild.corp.internal', 'Resolved: resolves to any.wild.corp.internal'],
  ['ns1.lab.internal', 'Resolved: resolves to ns1.lab.internal'],
  // Another server's to say.
  ['w.sub.corp.internal', 'Resolved: resolves to w.sub.corp.internal'],
  ['gone.corp.internal', `NoAddress: it leads to gone.corp.internal, which does not exist: declare it, ${give}`],
  ['lost.corp.internal', `NoAddress: it leads to gone.corp.internal, which does not exist: declare it, ${give}`],
  [
    'gone.old.corp.internal',
    `NoAddress: it leads to gone.new.corp.internal, which does not exist: declare it, ${give}`,
  ],
  ['text.corp.internal', `NoAddress: it leads to text.corp.internal, which has no address: declare one, ${give}`],
  ['b.empty.corp.internal', `NoAddress: it leads to b.empty.corp.internal, which has no address: declare one, ${give}`],
  ['gone.lab.internal', `NoAddress: it leads to gone.lab.internal, which does not exist: declare it, ${give}`],
])('a CNAME to %s', async (target, said) => {
  const agent = await sightedAgent({}, { zones: declared, addresses: ['192.0.2.53'] });
  agent.has(x, { targets: [target] });
  await agent.loops(8);
  expect(agent.of(x)).toBe(said);
});

test.each<[string, OutOfZoneState | undefined, string]>([
  ['lb.example.com', 'Addresses', 'Resolved: resolves to lb.example.com'],
  ['lb.example.com', undefined, 'Resolved: resolves to lb.example.com'],
  [
    'lb.example.com',
    'Absent',
    `NoAddress: it leads to lb.example.com, which does not exist to the pod's resolver: ${other}, or correct that name`,
  ],
  [
    'lb.example.com',
    'NoAddress',
    `NoAddress: it leads to lb.example.com, which has no address to the pod's resolver: ${other}, or correct that name`,
  ],
  [
    'lb.example.com',
    'Failed',
    `NoAddress: it leads to lb.example.com, of which the pod's resolver only says SERVFAIL: ${other}, or see why with dig`,
  ],
  [
    'out.corp.internal',
    'Absent',
    `NoAddress: it leads to lb.example.com, which does not exist to the pod's resolver: ${other}, or correct that name`,
  ],
  [
    'alias.corp.internal',
    'Absent',
    `NoAddress: it leads to lb.example.com, which does not exist to the pod's resolver: ${other}, or correct that name`,
  ],
])('a CNAME to %s, of which the resolver says %s', async (target, state, said) => {
  const outside = new KnownOutside();
  const agent = await sightedAgent({}, { zones: declared }, { outside });
  agent.has(x, { targets: [target] });
  await agent.loops(8);
  expect([outside.followed, agent.of(x)]).toEqual([['lb.example.com.'], `Resolved: resolves to ${target}`]);
  if (state) outside.say('lb.example.com', state);
  await agent.silence(1);
  expect(agent.of(x)).toBe(said);
});

test('is Pending while it is young, is counted, and resolves when the name is there', async () => {
  const agent = await sightedAgent({}, { zones: declared });
  agent.has(x, { targets: ['db.corp.internal'] });
  await agent.loops(2);
  expect(agent.of(x)).toMatch(/^Pending: it leads to db\.corp\.internal, which does not exist: /);
  await agent.loops(6);
  expect(agent.agent.names.counts()).toMatchObject({ NoAddress: 1, Resolved: 0, Pending: 0 });
  expect(agent.agent.report()?.names).toMatchObject({ total: 1, resolved: 0, problems: [{ verdict: 'NoAddress' }] });
  agent.has('ingress/b/y', { hosts: ['db.corp.internal'], targets: ['192.0.2.9'] });
  await agent.loops(2);
  expect(agent.of(x)).toBe('Resolved: resolves to db.corp.internal');
  agent.has('ingress/b/y', undefined);
  await agent.loops(8);
  expect(agent.of(x)).toMatch(/^NoAddress: /);
});

test('a circle that somebody has closed by hand is told, until the next verdict removes its part', async () => {
  const agent = await sightedAgent();
  agent.has(x, { targets: ['b.corp.internal'] });
  agent.has('ingress/b/y', { hosts: ['b.corp.internal'], targets: ['192.0.2.9'] });
  await agent.loops(4);
  expect(agent.of(x)).toBe('Resolved: resolves to b.corp.internal');
  agent.database.edit('corp.internal.', (zone) => {
    zone.rrsets = zone.rrsets.filter(({ name }) => name !== 'b.corp.internal.');
    zone.rrsets.push(foreign('b.corp.internal.', 'CNAME', `${www}.`));
  });
  await agent.silence(1);
  expect(agent.of(x)).toMatch(
    /^Refused: it leads in a circle: CNAME loop b\.corp\.internal -> www\.corp\.internal -> b\.corp\.internal: /,
  );
  await agent.loops(2);
  expect(agent.of(x)).toMatch(
    /^Refused: cannot publish: CNAME loop www\.corp\.internal -> b\.corp\.internal -> www\.corp/,
  );
  expect(agent.database.rrsets.some(({ name }) => name === `${www}.`)).toBe(false);
});
