import { expect, test } from 'vitest';
import { EndpointsParser } from '../../../functions/agent/discovery/endpoints-parser.ts';
import { want } from '../make.ts';

const [a, b] = [
  want('ingress/shop/a', 'a.corp.internal', 'A', '192.0.2.1'),
  want('ingress/shop/b', 'b.corp.internal', 'A', '192.0.2.2'),
];

/** A body as it may arrive. */
function* pieces(text: string, size = 64): Generator<Buffer> {
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}
const read = (repetition: EndpointsParser, list: unknown, size?: number) =>
  repetition.parse(pieces(JSON.stringify(list), size));

test('the same endpoints are the same list, in whatever order they come', async () => {
  const repetition = new EndpointsParser();
  const first = await read(repetition, [a, b]);
  expect(first).toEqual([a, b]);
  expect(await read(repetition, [b, a])).toBe(first);
  expect(await read(repetition, [a, b], 1)).toBe(first);
});

test.each([
  ['one more', [a, b, want('ingress/shop/c', 'c.corp.internal', 'A', '192.0.2.3')]],
  ['one fewer', [a]],
  ['one twice', [a, a]],
  ['none', []],
  ['another target', [a, { ...b, targets: ['192.0.2.3'] }]],
  ['another time to live', [a, { ...b, recordTTL: 5 }]],
  ['another object', [a, { ...b, labels: { resource: 'ingress/shop/c' } }]],
])('%s is another list', async (_, other) => {
  const repetition = new EndpointsParser();
  const first = await read(repetition, [a, b]);
  const second = await read(repetition, other);
  expect(second).not.toBe(first);
  expect(second).toEqual(other);
  expect(await read(repetition, [a, b])).toEqual([a, b]);
});

test('what Go writes for an empty list is one', async () => {
  expect(await new EndpointsParser().parse(pieces('null'))).toEqual([]);
});

test('what is no list of endpoints is refused each time, read to its end, and forgets nothing', async () => {
  const repetition = new EndpointsParser();
  const first = await read(repetition, [a]);
  for (const bad of [
    '',
    '{',
    '{}',
    '[1]',
    '[{"targets":1}]',
    '[[]]',
    '[',
    '[{}',
    '[],[]',
    '[{]',
    '[{}}',
    'nul',
    'true',
  ]) {
    const chunks = pieces(`${bad}${' '.repeat(200)}`);
    await expect(repetition.parse(chunks), bad).rejects.toThrow();
    expect([bad, chunks.next().done]).toEqual([bad, true]);
    await expect(repetition.parse(pieces(bad)), bad).rejects.toThrow();
  }
  expect(await read(repetition, [a])).toBe(first);
});

test('of targets without number only so many are kept, and every one that an object is seen to give', async () => {
  const seen = ['10.9.9.9', '2001:db8::1', 'lb.example.com.'];
  const many = Array.from({ length: 30_000 }, (_, i) => `10.0.${i >> 8}.${i & 255}`);
  const seenAt = (name: string) => new Set(name === 'a.corp.internal.' ? seen : []);
  const targets = [...many, '10.9.9.9', '2001:DB8::1', 'lb.example.com'];
  const hostile = [
    { ...a, targets, providerSpecific: [{ name: 'x', value: 'y' }] },
    { ...b, targets: many },
  ];
  const repetition = new EndpointsParser({ seenAt });
  const [first, second] = await read(repetition, hostile, 1000);
  const kept = [...many].sort().slice(0, 65);
  expect(first?.targets.toSorted()).toEqual([...kept, '10.9.9.9', '2001:DB8::1', 'lb.example.com'].sort());
  expect([first?.dnsName, first?.recordType, first?.labels]).toEqual([a.dnsName, a.recordType, a.labels]);
  expect(second?.targets).toEqual(kept);
  // However they come: the order of the targets is not ExternalDNS's to say.
  const before = await read(repetition, hostile);
  expect(await read(repetition, [hostile[1], { ...hostile[0], targets: targets.toReversed() }], 65_536)).toEqual(
    before,
  );
});

test('a quote, a bracket and a comma in a text are nothing else', async () => {
  const odd = { ...a, targets: ['"],[{\\"', ',]}\\', 'ä€😀'], labels: { resource: 'ingress/a]}/,"b' } };
  for (const size of [1, 2, 3, 1000]) expect(await read(new EndpointsParser(), [odd, b], size)).toEqual([odd, b]);
});

test('so much as the agent can keep is taken, and no more', async () => {
  const many = Array.from({ length: 100 }, (_, i) => want('ingress/shop/a', `h${i}.corp.internal`, 'A', '192.0.2.1'));
  const repetition = new EndpointsParser({ limit: () => 2000 });
  await expect(read(repetition, many)).rejects.toThrow(
    'what objects ask for is more than 2000 characters (ingress/shop/a is among those that ask for most): raise resources.agent.limits.memory',
  );
  expect(await read(repetition, [a])).toEqual([a]);
});

test('the object that asks for most is told, in whatever order they come', async () => {
  const of = (object: string, count: number) =>
    Array.from({ length: count }, (_, i) => want(object, `h${i}.corp.internal`, 'A', '192.0.2.1'));
  const several = [...of('ingress/shop/most', 60), ...of('ingress/shop/few', 10), ...of('ingress/shop/some', 30)];
  const repetition = new EndpointsParser({ limit: () => 12_000 });
  const reading = () => read(repetition, several).then(undefined, (error: Error) => error.message);
  const message = await reading();
  expect(message).toContain('(ingress/shop/most is among those that ask for most)');
  for (let i = 0; i < 3; i++) {
    several.reverse();
    expect(await reading()).toBe(message);
  }
});

test('an endpoint without an end is told by its host', async () => {
  const endless = { ...a, labels: { resource: 'x'.repeat(17 * 1024 * 1024) } };
  await expect(read(new EndpointsParser(), [endless], 1024 * 1024)).rejects.toThrow(
    `the endpoint of host ${a.dnsName} is longer than 16777216 bytes: shorten the annotations of its object`,
  );
});

test('a list of targets counts once, however many hosts have it', async () => {
  const targets = Array.from({ length: 64 }, (_, i) => `192.0.2.${i}`);
  const many = Array.from({ length: 1000 }, (_, i) => want('ingress/shop/a', `h${i}.corp.internal`, 'A', ...targets));
  const repetition = new EndpointsParser({ limit: () => 160_000 });
  const first = await read(repetition, many);
  expect(first).toEqual(many);
  expect(new Set(first.map((endpoint) => endpoint.targets)).size).toBe(1);
  expect(await read(repetition, many.toReversed())).toBe(first);
});

test('what nobody asks for within the bound is left out', async () => {
  const repetition = new EndpointsParser({ seenAt: (name) => (name === 'b.corp.internal.' ? undefined : new Set()) });
  expect(await read(repetition, [a, b])).toEqual([a]);
});
