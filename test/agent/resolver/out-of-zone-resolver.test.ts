/** What the pod's resolver says of names that are in no zone of ours, and how little it is asked. */
import { createSocket } from 'node:dgram';
import { Resolver } from 'node:dns/promises';
import { once } from 'node:events';
import { decode, encode } from 'dns-packet';
import { expect, onTestFinished, test } from 'vitest';
import { OutOfZoneResolver } from '../../../functions/agent/resolver/out-of-zone-resolver.ts';
import { freePort } from '../../powerdns/server.ts';

type Says = 'A' | 'AAAA' | 'NXDOMAIN' | 'NODATA' | 'SERVFAIL' | 'nothing';
const rcodes: Partial<Record<Says, number>> = { NXDOMAIN: 3, SERVFAIL: 2 };

/** A resolver that says what it is told to of each name, and who asks it. */
async function resolving(says: Record<string, Says>, ttl = 60) {
  const port = await freePort();
  const socket = createSocket('udp4').bind(port, '127.0.0.1');
  await once(socket, 'listening');
  onTestFinished(() => void socket.close());
  const asked: string[] = [];
  socket.on('message', (message, from) => {
    const { id, questions: [question] = [] } = decode(message);
    const { name, type } = question!;
    asked.push(`${name} ${type}`);
    const answer = says[name] ?? 'A';
    if (answer === 'nothing') return;
    const data = type === 'A' ? '192.0.2.1' : '2001:db8::1';
    const answers = answer === type ? [{ type: type as 'A', name, ttl, data }] : [];
    const flags = 0x180 | (rcodes[answer] ?? 0);
    socket.send(encode({ type: 'response', id, flags, questions: [question!], answers }), from.port, from.address);
  });
  const resolver = new Resolver({ timeout: 200, tries: 1 });
  resolver.setServers([`127.0.0.1:${port}`]);
  const clock = { now: 1_000 };
  const names = new OutOfZoneResolver({ resolver, now: () => clock.now });
  return {
    says,
    asked,
    clock,
    names,
    follow: (...of: string[]) => names.watch(new Set(of.map((name) => `${name}.`))),
    of: (name: string) => names.stateOf(`${name}.`),
    /** As often as it takes for so many seconds. */
    async pass(seconds: number) {
      for (let i = 0; i < seconds; i++) {
        clock.now += 1_000;
        await names.resolveDue();
      }
    },
  };
}

test.each<[Says, string | undefined]>([
  ['A', 'Addresses'],
  ['AAAA', 'Addresses'],
  ['NXDOMAIN', 'Absent'],
  ['NODATA', 'NoAddress'],
  // Of one name alone, twice.
  ['SERVFAIL', 'Failed'],
  ['nothing', undefined],
])('%s means %s', async (says, state) => {
  const { follow, pass, of } = await resolving({ 'lb.example.com': says, '': 'NODATA', '.': 'NODATA' });
  follow('lb.example.com');
  await pass(40);
  expect(of('lb.example.com')).toBe(state);
});

test('a resolver that fails whatever it is asked says nothing of a name', async () => {
  const { follow, pass, of } = await resolving({ 'lb.example.com': 'SERVFAIL', '': 'SERVFAIL', '.': 'SERVFAIL' });
  follow('lb.example.com');
  await pass(40);
  expect(of('lb.example.com')).toBeUndefined();
});

test('what it said holds while it is away, and another answer is another version', async () => {
  const made = await resolving({ 'lb.example.com': 'A' });
  made.follow('lb.example.com');
  await made.pass(1);
  const { version } = made.names;
  made.says['lb.example.com'] = 'nothing';
  await made.pass(120);
  expect([made.of('lb.example.com'), made.names.version]).toEqual(['Addresses', version]);
  made.says['lb.example.com'] = 'NXDOMAIN';
  await made.pass(40);
  expect([made.of('lb.example.com'), made.names.version]).toEqual(['Absent', version + 1]);
});

test.each([
  [0, 30],
  [60, 60],
  [86_400, 600],
])('an answer of %s seconds is asked for again after %s', async (ttl, seconds) => {
  const { follow, pass, asked } = await resolving({}, ttl);
  follow('lb.example.com');
  await pass(1);
  await pass(seconds - 1);
  expect(asked).toHaveLength(1);
  await pass(2);
  expect(asked).toHaveLength(2);
});

test('any number of names costs a few questions a second, and each comes to its turn', async () => {
  const { follow, pass, asked, of } = await resolving({}, 86_400);
  const hosts = Array.from({ length: 5_000 }, (_, i) => `lb${i}.example.com`);
  follow(...hosts);
  await pass(10);
  expect(asked.length).toBeLessThanOrEqual(100);
  await pass(490);
  const known = hosts.filter((name) => of(name) !== undefined);
  expect(asked.length).toBeLessThanOrEqual(10 * 500);
  // Of no more than these anything is known, and of these all is.
  expect(known).toHaveLength(2_000);
});

test('what nobody leads to any more is forgotten', async () => {
  const { follow, pass, of, asked } = await resolving({});
  follow('a.example.com', 'b.example.com');
  await pass(1);
  follow('b.example.com');
  expect([of('a.example.com'), of('b.example.com')]).toEqual([undefined, 'Addresses']);
  await pass(200);
  expect(asked.filter((question) => question.startsWith('a.'))).toHaveLength(1);
});
