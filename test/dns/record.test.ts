/** Records as people declare them. */
import { describe, expect, test } from 'vitest';
import { type DeclaredRecord, entriesOfRecords } from '../../functions/dns/record.ts';

const zone = 'corp.internal.';
const record = (name: string, type: DeclaredRecord['type'], ...values: string[]): DeclaredRecord => ({
  name,
  type,
  values,
});
const read = (...records: DeclaredRecord[]) => entriesOfRecords(records, zone);

describe('a name is relative to the zone', () => {
  test.each([
    ['@', 'corp.internal.'],
    ['corp.internal', 'corp.internal.'],
    ['corp.internal.', 'corp.internal.'],
    ['www', 'www.corp.internal.'],
    ['WWW', 'www.corp.internal.'],
    ['a.b.c', 'a.b.c.corp.internal.'],
    ['*', '*.corp.internal.'],
    ['*.dev', '*.dev.corp.internal.'],
    ['_sip._tcp', '_sip._tcp.corp.internal.'],
    ['www.corp.internal', 'www.corp.internal.'],
    ['www.corp.internal.', 'www.corp.internal.'],
    // Whether it is in the zone is validated for all records together.
    ['www.example.com.', 'www.example.com.'],
    ['bücher', 'xn--bcher-kva.corp.internal.'],
  ])('%s is %s', (name, expected) => {
    expect(read(record(name, 'A', '192.0.2.1'))).toEqual({
      entries: [{ name: expected, type: 'A', ttl: undefined, content: '192.0.2.1', at: 'records[0].values[0]' }],
      issues: [],
    });
  });

  test('and so are names in values', () => {
    const { entries } = read(
      record('a.dev', 'CNAME', 'www'),
      record('b', 'MX', '10 mail', '20 mail.corp.internal', '30 mail.example.com.'),
      record('c', 'CNAME', '@'),
    );
    expect(entries.map(({ content }) => content)).toEqual([
      'www.corp.internal.',
      '10 mail.corp.internal.',
      '20 mail.corp.internal.',
      '30 mail.example.com.',
      'corp.internal.',
    ]);
  });
});

describe('an issue says where it is', () => {
  const good = record('good', 'A', '192.0.2.1');
  test.each<[string, DeclaredRecord, string, string]>([
    ['a name', record('a b', 'A', '192.0.2.1'), 'records[1].name', 'white space in a domain name: a b'],
    [
      'a name of nobody',
      record('$x', 'A', '192.0.2.1'),
      'records[1].name',
      'not the name of a record: $x.corp.internal.',
    ],
    ['a wildcard inside', record('a.*', 'A', '192.0.2.1'), 'records[1].name', 'not the name of a record'],
    ['a value', record('www', 'A', '192.0.2.1', '192.0.2.256'), 'records[1].values[1]', '192.0.2.256'],
    ['an empty value', record('www', 'TXT', ' '), 'records[1].values[0]', 'no value given'],
    [
      'ptr on a CNAME',
      { ...record('www', 'CNAME', 'a'), ptr: true },
      'records[1].ptr',
      'CNAME has no address for a PTR',
    ],
    ['ptr on a TXT', { ...record('www', 'TXT', 'a'), ptr: true }, 'records[1].ptr', 'TXT has no address for a PTR'],
    [
      'a check of a TXT',
      { ...record('www', 'TXT', 'a'), check: { port: 25 } },
      'records[1].check',
      'this is for A and AAAA',
    ],
    [
      'a check of a loopback address',
      { ...record('www', 'A', '192.0.2.1', '127.0.0.1'), check: { port: 25 } },
      'records[1].values[1]',
      '127.0.0.1 is a loopback address, which is never checked',
    ],
    [
      'a check of a metadata service',
      { ...record('www', 'A', '192.0.2.1'), check: { url: 'http://169.254.169.254/{{value}}' } },
      'records[1].check.url',
      '169.254.169.254 is a link-local address, which is never asked',
    ],
    [
      'a check every second and a half',
      { ...record('www', 'A', '192.0.2.1'), check: { port: 25, interval: '1.5s' } },
      'records[1].check.interval',
      'not whole seconds from 1s to 10m: 1.5s',
    ],
    [
      'weights that are too few',
      { ...record('www', 'A', '192.0.2.1', '192.0.2.2'), answer: 'Weighted', weights: [1] },
      'records[1].weights',
      'one weight for each value: weights has 1, values has 2',
    ],
  ])('%s', (_, bad, at, message) => {
    const { entries, issues } = read(good, bad, record('last', 'A', '192.0.2.9'));
    expect(issues).toEqual([{ at, message: expect.stringContaining(message) }]);
    // Everything else is valid.
    expect(entries.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['good.corp.internal.', 'last.corp.internal.']),
    );
  });

  test('every issue of a record is reported', () => {
    const { entries, issues } = read(record('a b', 'A', 'x', '192.0.2.1', 'y'));
    expect(entries).toEqual([]);
    expect(issues.map(({ at }) => at)).toEqual(['records[0].name', 'records[0].values[0]', 'records[0].values[2]']);
  });
});

// Serving the rest of such a record would give wrong answers.
describe('a record is dropped as a whole for', () => {
  const check = { port: 25 };
  test.each<[string, Partial<DeclaredRecord>]>([
    ['a check of a loopback address', { values: ['192.0.2.1', '127.0.0.1'], check }],
    ['a check of a metadata service', { check: { url: 'http://169.254.169.254/{{value}}' } }],
    ['a check every second and a half', { check: { ...check, interval: '1.5s' } }],
    ['a check of text', { type: 'TXT', values: ['x'], check }],
    ['ptr of text', { type: 'TXT', values: ['x'], ptr: true }],
    ['weights that are too few', { answer: 'Weighted', weights: [1] }],
    ['a weight of what is no address', { values: ['192.0.2.1', 'x'], answer: 'Weighted', weights: [1, 2] }],
  ])('%s', (_, bad) => {
    const whole = { ...record('www', 'A', '192.0.2.1', '192.0.2.2'), ...bad };
    const { entries, issues } = read(record('good', 'A', '192.0.2.1'), whole);
    expect(issues).toMatchObject([{ at: expect.stringMatching(/^records\[1\]\./) }]);
    expect(entries.map(({ name }) => name)).toEqual(['good.corp.internal.']);
  });

  test('a duplicate, which would be checked as the first one is', () => {
    const { entries } = read({ ...record('www', 'A', '192.0.2.1'), check }, record('www', 'A', '127.0.0.1'));
    expect(entries.map(({ content }) => content)).toEqual(['192.0.2.1']);
  });
});

describe('one RRset has one record', () => {
  test.each([
    ['www', 'www'],
    ['www', 'WWW.corp.internal.'],
    ['@', 'corp.internal'],
  ])('%s and %s are the same name', (a, b) => {
    const { issues } = read(record('x', 'A', '192.0.2.9'), record(a, 'A', '192.0.2.1'), record(b, 'A', '192.0.2.2'));
    expect(issues).toEqual([
      { at: 'records[2]', message: 'records[1] already has the A records of this name: put all values there' },
    ]);
  });

  test('other types and other names are other RRsets', () => {
    const records = [record('www', 'A', '192.0.2.1'), record('www', 'AAAA', '::1'), record('ww', 'A', '192.0.2.1')];
    expect(read(...records).issues).toEqual([]);
  });

  test('invalid names have nothing in common', () => {
    const { issues } = read(record('a b', 'A', '192.0.2.1'), record('c d', 'A', '192.0.2.2'));
    expect(issues.map(({ at }) => at)).toEqual(['records[0].name', 'records[1].name']);
  });
});

test('every value has the TTL, the PTR and the answer settings', () => {
  const more = { ttl: 5, ptr: true, answer: 'Weighted' as const, weights: [1, 2] };
  expect(read({ ...record('www', 'A', '192.0.2.1', '192.0.2.2'), ...more }).entries).toMatchObject(
    ['192.0.2.1', '192.0.2.2'].map((content) => ({
      ttl: 5,
      ptr: true,
      answer: { answer: 'Weighted', weights: [1, 2] },
      content,
    })),
  );
  const [plain] = read({ ...record('www', 'A', '192.0.2.1'), ptr: false, answer: 'All' }).entries;
  expect(Object.keys(plain ?? {})).toEqual(['name', 'type', 'ttl', 'content', 'at']);
});
