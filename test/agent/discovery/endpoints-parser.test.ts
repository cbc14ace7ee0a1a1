import { expect, test } from 'vitest';
import { EndpointsParser } from '../../../functions/agent/discovery/endpoints-parser.ts';
import { endpoint } from '../make.ts';

const [a, b] = [
  endpoint('ingress/shop/a', 'a.corp.internal', 'A', '192.0.2.1'),
  endpoint('ingress/shop/b', 'b.corp.internal', 'A', '192.0.2.2'),
];

/** A body in chunks. */
function* pieces(text: string, size = 64): Generator<Buffer> {
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}
const read = (parser: EndpointsParser, list: unknown, size?: number) =>
  parser.parse(pieces(JSON.stringify(list), size));

test('the same endpoints are the same array, whatever their order', async () => {
  const parser = new EndpointsParser();
  const first = await read(parser, [a, b]);
  expect(first).toEqual([a, b]);
  expect(await read(parser, [b, a])).toBe(first);
  expect(await read(parser, [a, b], 1)).toBe(first);
});

test.each([
  ['one endpoint more', [a, b, endpoint('ingress/shop/c', 'c.corp.internal', 'A', '192.0.2.3')]],
  ['one endpoint fewer', [a]],
  ['one endpoint twice', [a, a]],
  ['no endpoint', []],
  ['another target', [a, { ...b, targets: ['192.0.2.3'] }]],
  ['another time to live', [a, { ...b, recordTTL: 5 }]],
  ['another object', [a, { ...b, labels: { resource: 'ingress/shop/c' } }]],
])('%s is another array', async (_, other) => {
  const parser = new EndpointsParser();
  const first = await read(parser, [a, b]);
  const second = await read(parser, other);
  expect(second).not.toBe(first);
  expect(second).toEqual(other);
  expect(await read(parser, [a, b])).toEqual([a, b]);
});

test('null is an empty list, as Go writes it', async () => {
  expect(await new EndpointsParser().parse(pieces('null'))).toEqual([]);
});

test('an invalid body is rejected each time, read to its end, and changes nothing', async () => {
  const parser = new EndpointsParser();
  const first = await read(parser, [a]);
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
    await expect(parser.parse(chunks), bad).rejects.toThrow();
    expect([bad, chunks.next().done]).toEqual([bad, true]);
    await expect(parser.parse(pieces(bad)), bad).rejects.toThrow();
  }
  expect(await read(parser, [a])).toBe(first);
});

test('of too many targets a few are kept, besides all that the source object has', async () => {
  const seen = ['10.9.9.9', '2001:db8::1', 'lb.example.com.'];
  const many = Array.from({ length: 30_000 }, (_, i) => `10.0.${i >> 8}.${i & 255}`);
  const seenAt = (name: string) => new Set(name === 'a.corp.internal.' ? seen : []);
  const targets = [...many, '10.9.9.9', '2001:DB8::1', 'lb.example.com'];
  const hostile = [
    { ...a, targets, providerSpecific: [{ name: 'x', value: 'y' }] },
    { ...b, targets: many },
  ];
  const parser = new EndpointsParser({ seenAt });
  const [first, second] = await read(parser, hostile, 1000);
  const limited = [...many].sort().slice(0, 65);
  expect(first?.targets.toSorted()).toEqual([...limited, '10.9.9.9', '2001:DB8::1', 'lb.example.com'].sort());
  expect([first?.dnsName, first?.recordType, first?.labels]).toEqual([a.dnsName, a.recordType, a.labels]);
  expect(second?.targets).toEqual(limited);
  // Whatever the order of the targets.
  const before = await read(parser, hostile);
  expect(await read(parser, [hostile[1], { ...hostile[0], targets: targets.toReversed() }], 65_536)).toEqual(before);
});

test('quotes, brackets and commas in strings are text', async () => {
  const odd = { ...a, targets: ['"],[{\\"', ',]}\\', 'ä€😀'], labels: { resource: 'ingress/a]}/,"b' } };
  for (const size of [1, 2, 3, 1000]) expect(await read(new EndpointsParser(), [odd, b], size)).toEqual([odd, b]);
});

test('more endpoints than the limit are rejected, and the next body is parsed', async () => {
  const many = Array.from({ length: 100 }, (_, i) =>
    endpoint('ingress/shop/a', `h${i}.corp.internal`, 'A', '192.0.2.1'),
  );
  const parser = new EndpointsParser({ limit: () => 2000 });
  await expect(read(parser, many)).rejects.toThrow(
    'objects request endpoints of more than 2000 characters (ingress/shop/a is among the largest): raise resources.agent.limits.memory',
  );
  expect(await read(parser, [a])).toEqual([a]);
});

test('the largest object is named, whatever the order of the endpoints', async () => {
  const of = (object: string, count: number) =>
    Array.from({ length: count }, (_, i) => endpoint(object, `h${i}.corp.internal`, 'A', '192.0.2.1'));
  const several = [...of('ingress/shop/most', 60), ...of('ingress/shop/few', 10), ...of('ingress/shop/some', 30)];
  const parser = new EndpointsParser({ limit: () => 12_000 });
  const reading = () => read(parser, several).then(undefined, (error: Error) => error.message);
  const message = await reading();
  expect(message).toContain('(ingress/shop/most is among the largest)');
  for (let i = 0; i < 3; i++) {
    several.reverse();
    expect(await reading()).toBe(message);
  }
});

test('an endless endpoint is named by its host', async () => {
  const endless = { ...a, labels: { resource: 'x'.repeat(17 * 1024 * 1024) } };
  await expect(read(new EndpointsParser(), [endless], 1024 * 1024)).rejects.toThrow(
    `the endpoint of host ${a.dnsName} is longer than 16777216 bytes: shorten the annotations of its object`,
  );
});

test('equal lists of targets count once, however many hosts have them', async () => {
  const targets = Array.from({ length: 64 }, (_, i) => `192.0.2.${i}`);
  const many = Array.from({ length: 1000 }, (_, i) =>
    endpoint('ingress/shop/a', `h${i}.corp.internal`, 'A', ...targets),
  );
  const parser = new EndpointsParser({ limit: () => 160_000 });
  const first = await read(parser, many);
  expect(first).toEqual(many);
  expect(new Set(first.map((endpoint) => endpoint.targets)).size).toBe(1);
  expect(await read(parser, many.toReversed())).toBe(first);
});

test('an endpoint over every object’s host limit is dropped', async () => {
  const parser = new EndpointsParser({ seenAt: (name) => (name === 'b.corp.internal.' ? undefined : new Set()) });
  expect(await read(parser, [a, b])).toEqual([a]);
});
