import { describe, expect, test } from 'vitest';
import * as z from 'zod';
import { type Answer, answerFields, answerIssues, isDynamic } from '../../functions/dns/answer.ts';

const record = (answer: Answer, changes: { type?: string; values?: string[] } = {}) => ({
  type: 'A',
  values: ['192.0.2.1', '192.0.2.2'],
  ...answer,
  ...changes,
});
const port = { port: 25 };
const url = 'https://{{value}}/healthz';
const issues = (...given: Parameters<typeof record>) =>
  answerIssues(record(...given)).map(({ field, message }) => `${field}: ${message}`);

describe('the schema of the fields', () => {
  test('are a structural schema of Kubernetes without unions, and none has a default', () => {
    const schema = z.toJSONSchema(z.object(answerFields), { target: 'openapi-3.0', io: 'input' });
    const allowed = ['type', 'properties', 'items', 'enum', 'required', 'description', 'additionalProperties'];
    const bounds = ['minimum', 'maximum', 'minLength', 'maxLength', 'maxItems'];
    const keywords = new Set<string>();
    const described: unknown[] = [];
    const visit = (node: Record<string, unknown>) => {
      for (const keyword of Object.keys(node)) keywords.add(keyword);
      for (const field of Object.values((node.properties ?? {}) as Record<string, Record<string, unknown>>)) {
        described.push(field.description);
        visit(field);
      }
      if (node.items) visit(node.items as Record<string, unknown>);
    };
    visit(schema);
    expect([...keywords].filter((keyword) => !allowed.includes(keyword) && !bounds.includes(keyword))).toEqual([]);
    expect(described).toHaveLength(11);
    expect(described).not.toContain(undefined);
    expect(z.object(answerFields).parse({})).toEqual({});
  });

  test.each<[Record<string, unknown>]>([
    [{ check: { port: 0 } }],
    [{ check: { port: 65_536 } }],
    [{ check: { port: 25.5 } }],
    [{ check: { url: '' } }],
    [{ check: { url: 'x'.repeat(513) } }],
    [{ check: { contains: 'x'.repeat(257) } }],
    [{ check: { contains: '' } }],
    [{ check: { status: 99 } }],
    [{ answer: 'all' }],
    [{ weights: [0] }],
    [{ weights: [1001] }],
    [{ weights: [0.5] }],
    [{ weights: Array.from({ length: 65 }, () => 1) }],
    [{ backup: Array.from({ length: 65 }, () => '192.0.2.1') }],
    [{ whenAllDown: 'Some' }],
  ])('have bounds: %j', (fields) => {
    expect(z.object(answerFields).safeParse(fields).success).toBe(false);
  });
});

test.each<[Answer, boolean]>([
  [{}, false],
  [{ answer: 'All' }, false],
  [{ check: port }, true],
  [{ answer: 'All', check: port }, true],
  [{ answer: 'Random' }, true],
  [{ weights: [1] }, true],
  [{ whenAllDown: 'All' }, false],
])('PowerDNS computes an answer only where it has to: %j', (answer, expected) => {
  expect(isDynamic(answer)).toBe(expected);
});

describe('rules', () => {
  test.each<[Answer, { type?: string; values?: string[] }]>([
    [{}, { type: 'MX', values: ['10 mail'] }],
    [{ check: port }, {}],
    [{ check: { url, contains: '{"a": "b\\c"}', status: 204, interval: '1m30s', timeout: '5s' } }, {}],
    [{ check: { ...port, interval: '1s' } }, {}],
    [{ check: { ...port, interval: '1000ms', timeout: '1s' } }, {}],
    [{ check: port, answer: 'Closest', whenAllDown: 'Backup', backup: ['192.0.2.9'] }, { values: ['192.0.2.1'] }],
    [
      { check: port, whenAllDown: 'Backup', backup: ['2001:db8::9'] },
      { type: 'AAAA', values: ['2001:db8::1'] },
    ],
    [{ check: port }, { type: 'AAAA', values: ['::ffff:192.0.2.1', '64:ff9b::192.0.2.1'] }],
    [{ answer: 'Weighted', weights: [90, 10] }, {}],
    [{ answer: 'Sticky', weights: [90, 10] }, {}],
    [{ answer: 'Sticky' }, { values: Array.from({ length: 100 }, (_, i) => `192.0.2.${i}`) }],
    [{ answer: 'Random' }, { values: ['127.0.0.1'] }],
  ])('hold for %j %j', (answer, changes) => {
    expect(issues(answer, changes)).toEqual([]);
  });

  test.each<[Answer, { type?: string; values?: string[] }, ...string[]]>([
    [
      { check: port, answer: 'All' },
      { type: 'CNAME' },
      'check: CNAME is always answered with all of its values: this is for A and AAAA',
      'answer: CNAME is always answered with all of its values: this is for A and AAAA',
    ],
    [{ check: {} }, {}, 'check: check needs port or url'],
    [{ check: { ...port, url } }, {}, 'check: check has either port or url, not both'],
    [{ check: { ...port, contains: 'ok' } }, {}, 'check.contains: contains needs url'],
    [{ check: { ...port, status: 200 } }, {}, 'check.status: status needs url'],
    [{ check: { url, contains: 'grün' } }, {}, 'check.contains: only printable ASCII is supported'],
    [{ check: { url, contains: 'a\nb' } }, {}, 'check.contains: only printable ASCII is supported'],
    [
      { check: { url: 'ftp://{{value}}/' } },
      {},
      'check.url: not a URL of http or https, such as https://{{value}}/healthz',
    ],
    [{ check: { ...port, interval: '0s' } }, {}, 'check.interval: not whole seconds from 1s to 10m: 0s'],
    [{ check: { ...port, interval: '1500ms' } }, {}, 'check.interval: not whole seconds from 1s to 10m: 1500ms'],
    [{ check: { ...port, interval: '11m' } }, {}, 'check.interval: not whole seconds from 1s to 10m: 11m'],
    [{ check: { ...port, interval: '' } }, {}, 'check.interval: not whole seconds from 1s to 10m: '],
    [{ check: { ...port, timeout: '6s' } }, {}, 'check.timeout: not whole seconds from 1s to 5s: 6s'],
    [{ check: { ...port, timeout: '-1s' } }, {}, 'check.timeout: not whole seconds from 1s to 5s: -1s'],
    [{ check: { ...port, interval: '2s', timeout: '3s' } }, {}, 'check.timeout: longer than interval: 3s'],
    [{ answer: 'Weighted' }, {}, 'weights: Weighted needs weights, one for each value'],
    [{ weights: [1, 2] }, {}, 'weights: weights need answer: Weighted or Sticky'],
    [{ answer: 'Closest', weights: [1, 2] }, {}, 'weights: weights need answer: Weighted or Sticky'],
    [{ answer: 'Weighted', weights: [1] }, {}, 'weights: one weight for each value: weights has 1, values has 2'],
    [{ whenAllDown: 'None' }, {}, 'whenAllDown: whenAllDown needs check'],
    [{ backup: ['192.0.2.9'] }, {}, 'backup: backup needs check and whenAllDown: Backup'],
    [{ check: port, backup: ['192.0.2.9'] }, {}, 'backup: backup is for whenAllDown: Backup'],
    [{ check: port, whenAllDown: 'Backup' }, {}, 'backup: whenAllDown: Backup needs backup, one or more addresses'],
    [
      { check: port, whenAllDown: 'Backup', backup: ['2001:db8::9', 'x'] },
      {},
      'backup[0]: not an IPv4 address: 2001:db8::9',
      'backup[1]: not an IPv4 address: x',
    ],
    [
      { check: port, whenAllDown: 'Backup', backup: ['127.0.0.1'] },
      { values: ['169.254.169.254', '192.0.2.1'] },
      'values[0]: 169.254.169.254 is a link-local address, which is never checked',
      'backup[0]: 127.0.0.1 is a loopback address, which is never checked',
    ],
    [{ check: port }, { values: [] }, 'values: at least one value'],
    [
      { check: port },
      { values: Array.from({ length: 65 }, (_, i) => `192.0.2.${i}`) },
      'values: at most 64 values with check: 65',
    ],
  ])('are broken by %j %j', (answer, changes, ...expected) => {
    expect(issues(answer, changes)).toEqual(expected);
  });
});
