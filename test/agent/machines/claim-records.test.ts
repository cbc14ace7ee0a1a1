import { describe, expect, test } from 'vitest';
import { claim, endpointsIn, find, machine, tenant, translationOf } from './objects.ts';

const name = 'mail.corp.internal';
const role = { selector: { matchLabels: { role: 'mail' } } };
const mail = (id: string, addresses: string, labels: Record<string, string> = {}, age = 0, namespace = 'a') =>
  machine(id, addresses, { labels: { role: 'mail', ...labels }, age, namespace });
const three = [
  mail('m2', '192.0.2.2', {}, 2),
  mail('m1', '192.0.2.1 2001:db8::1', {}, 1),
  machine('web', '192.0.2.80', { labels: { role: 'web' } }),
];
const translated = (spec: object, input: Parameters<typeof translationOf>[0] = {}) =>
  find(translationOf({ machines: three, claims: [claim('c', { name, ...spec })], ...input }), 'nameclaim/a/c');

describe('a claim has', () => {
  test('the addresses of the Machines that it selects, in one name', () => {
    const { finding, ...whole } = translated(role);
    expect(endpointsIn(whole)).toEqual([`${name} A 192.0.2.1 192.0.2.2`, `${name} AAAA 2001:db8::1`]);
    expect(whole.answers.size).toBe(0);
    expect(finding).toEqual({
      members: [
        { machine: 'a/m1', addresses: ['192.0.2.1', '2001:db8::1'] },
        { machine: 'a/m2', addresses: ['192.0.2.2'] },
      ],
      notes: [],
    });
  });

  test.each<[reason: string, selector: object, members: string[]]>([
    ['all of the namespace', {}, ['a/web', 'a/m1', 'a/m2']],
    ['by an expression', { matchExpressions: [{ key: 'role', operator: 'NotIn', values: ['mail'] }] }, ['a/web']],
    ['by an expression that none meets', { matchExpressions: [{ key: 'role', operator: 'DoesNotExist' }] }, []],
    ['by a label that none has', { matchLabels: { role: 'db' } }, []],
    [
      'by both',
      { matchLabels: { role: 'mail' }, matchExpressions: [{ key: 'role', operator: 'Exists' }] },
      ['a/m1', 'a/m2'],
    ],
    ['by a name that every object of JavaScript has', { matchLabels: { constructor: 'x' } }, []],
  ])('members selected %s', (_, selector, members) => {
    expect(translated({ selector }).finding.members?.map((member) => member.machine)).toEqual(members);
  });

  test('addresses of its own besides', () => {
    const { finding, ...whole } = translated({ ...role, addresses: ['192.0.2.9', '192.0.2.1'] });
    expect(endpointsIn(whole)[0]).toBe(`${name} A 192.0.2.1 192.0.2.2 192.0.2.9`);
    expect(finding.members?.at(-1)).toEqual({ addresses: ['192.0.2.9', '192.0.2.1'] });
  });

  test('a name for each member, besides the shared one or instead of it', () => {
    const template = '{{machine.name}}.mail.corp.internal';
    const own = [
      'm1.mail.corp.internal A 192.0.2.1',
      'm1.mail.corp.internal AAAA 2001:db8::1',
      'm2.mail.corp.internal A 192.0.2.2',
    ];
    expect(endpointsIn(translated({ ...role, template })).slice(2)).toEqual(own);
    expect(endpointsIn(translated({ ...role, name: undefined, template }))).toEqual(own);
  });

  test('a name for the older one of two members whose names are the same', () => {
    const machines = [...three, mail('m1', '192.0.2.7', {}, 5, 'b')];
    const spec = { ...role, namespaceSelector: {}, template: '{{machine.name}}.mail.corp.internal' };
    const tenants = [tenant('b', { selectableBy: 'SelectableByAll' })];
    const { finding, ...whole } = translated(spec, { machines, tenants });
    expect(endpointsIn(whole)).toContain('m1.mail.corp.internal A 192.0.2.1');
    expect(finding.notes).toEqual([
      'b/m1 does not get the name m1.mail.corp.internal, which an older member or the claim has',
    ]);
  });

  test('a place in the status of each of its members', () => {
    const { machines } = translationOf({
      machines: three,
      claims: [claim('c', { name, ...role }), claim('d', { name, selector: {} })],
    });
    expect(machines.map(({ finding }) => finding.claims)).toEqual([['a/d'], ['a/c', 'a/d'], ['a/c', 'a/d']]);
  });
});

describe('Machines of other namespaces are members', () => {
  const machines = [mail('near', '192.0.2.1'), mail('far', '192.0.2.2', {}, 1, 'b')];
  const everywhere = { ...role, namespaceSelector: { matchExpressions: [{ key: 'team', operator: 'Exists' }] } };
  const members = (spec: object, tenants: ReturnType<typeof tenant>[]) =>
    translated(spec, { machines, tenants }).finding.members?.map((member) => member.machine);

  test.each<[reason: string, tenants: ReturnType<typeof tenant>[], members: string[]]>([
    ['never without tenants', [], ['a/near']],
    ['not if their tenant keeps them', [tenant('b')], ['a/near']],
    ['if their tenant lets all have them', [tenant('b', { selectableBy: 'SelectableByAll' })], ['a/near', 'b/far']],
    ['not of another tenant', [tenant('a'), tenant('b', { selectableBy: 'SelectableByTenant' })], ['a/near']],
    [
      'of the same tenant',
      [{ ...tenant('b', { selectableBy: 'SelectableByTenant' }), namespaceSelector: { matchLabels: {} } }],
      ['a/near', 'b/far'],
    ],
  ])('%s', (_, tenants, expected) => {
    expect(members(everywhere, tenants)).toEqual(expected);
  });

  test('only if the claim asks for their namespaces', () => {
    const tenants = [tenant('b', { selectableBy: 'SelectableByAll' })];
    expect(members(role, tenants)).toEqual(['a/near']);
    expect(members({ ...role, namespaceSelector: { matchLabels: { team: 'b' } } }, tenants)).toEqual(['b/far']);
  });

  test('in the order of their age, whatever their namespaces', () => {
    const ids = ['m1', 'm2', 'm3', 'm4'];
    const machines = ids.map((id, age) => mail(id, `192.0.2.${age + 1}`, {}, age, age % 2 === 0 ? 'b' : 'a'));
    const tenants = [tenant('b', { selectableBy: 'SelectableByAll' })];
    const selected = translated(everywhere, { machines, tenants }).finding.members ?? [];
    expect(selected.map((member) => member.machine)).toEqual(['b/m1', 'a/m2', 'b/m3', 'a/m4']);
  });

  test('or are counted in a note', () => {
    expect(translated(everywhere, { machines }).finding.notes).toEqual([
      '1 Machines of other namespaces are no members: their tenants do not let them be (discovery.tenants, machines)',
    ]);
  });
});

describe('the computed answer', () => {
  test('has the check for both families, and the URL as records have it', () => {
    const spec = { ...role, check: { url: 'https://{{machine.ip}}/healthz' }, answer: 'Random' };
    const { answers } = translated(spec, { tenants: [tenant('a', { checks: 'URL' })] });
    const answer = { check: { url: 'https://{{value}}/healthz' }, answer: 'Random' };
    expect(answers).toEqual(
      new Map([
        [`${name}. A`, answer],
        [`${name}. AAAA`, answer],
      ]),
    );
  });

  test('has weights from the label, and 1 where there is none', () => {
    const machines = [
      mail('m1', '192.0.2.1', { weight: '90' }),
      mail('m2', '192.0.2.2'),
      mail('m3', '192.0.2.3', { weight: '1001' }),
    ];
    const { answers, finding } = translated({ ...role, answer: 'Weighted', weightLabel: 'weight' }, { machines });
    expect(answers.get(`${name}. A`)?.weights).toEqual(
      new Map([
        ['192.0.2.1', 90],
        ['192.0.2.2', 1],
        ['192.0.2.3', 1],
      ]),
    );
    expect(finding.notes).toEqual(['a/m3 has the weight 1001, which is not one of 1 to 1000: it weighs 1']);
  });

  test('has the backup of each family, and no address in a family without', () => {
    const spec = { ...role, check: { port: 25 }, whenAllDown: 'Backup', backup: ['192.0.2.9'] };
    const { answers } = translated(spec);
    expect(answers.get(`${name}. A`)).toEqual({ check: { port: 25 }, whenAllDown: 'Backup', backup: ['192.0.2.9'] });
    expect(answers.get(`${name}. AAAA`)).toEqual({ check: { port: 25 }, whenAllDown: 'None' });
    const signed = translated({ ...spec, name: 'mail.signed.internal' });
    expect(signed.answers.get('mail.signed.internal. AAAA')).toEqual({ check: { port: 25 }, whenAllDown: 'All' });
  });
});

describe('a claim is refused', () => {
  const check = { port: 25 };
  test.each<[reason: string, spec: object, refusal: string, input?: object]>([
    [
      'with a check of a URL that no tenant allows',
      { ...role, check: { url: 'http://{{machine.ip}}/' } },
      'namespace a can have no check of a URL',
    ],
    [
      'if a signed zone could not answer',
      { ...role, name: 'mail.signed.internal', check, whenAllDown: 'None' },
      'whenAllDown: a signed zone cannot answer',
    ],
    [
      'with a timeout beyond its interval',
      { ...role, check: { ...check, interval: '1s', timeout: '2s' } },
      'check: timeout must be no longer than interval',
    ],
    [
      'if PowerDNS has no check left',
      { ...role, check },
      'check: PowerDNS can check 1000 addresses in all',
      { checksLeft: 2 },
    ],
    [
      'with a backup that is a Service',
      { ...role, check, whenAllDown: 'Backup', backup: ['10.96.0.10'] },
      'backup has an address of a Service',
    ],
    ['by its schema', { name: '*.corp.internal', selector: {} }, 'spec.name: '],
    [
      'while the labels of its namespace are unknown',
      role,
      'the labels of namespace a are not known yet',
      { tenants: [tenant('a')], labelsOf: () => undefined },
    ],
    [
      'with a check, while nobody knows what the addresses of Services are',
      { ...role, check },
      'the address ranges of Services, which are never checked, cannot be read yet',
      { isOfService: undefined },
    ],
    [
      'with a check, while PowerDNS does not compute answers',
      { ...role, check },
      'PowerDNS restarts once',
      { computes: false },
    ],
  ])('%s', (_, spec, refusal, input = {}) => {
    const { endpoints, answers, finding } = translated(spec, input);
    expect([endpoints, answers.size]).toEqual([[], 0]);
    expect(finding.refusal).toContain(refusal);
  });

  test('the younger one, when there are checks for one only', () => {
    const claims = [claim('young', { name, ...role, check }, { age: 1 }), claim('old', { name, ...role, check })];
    const translation = translationOf({ machines: three, claims, checksLeft: 3 });
    expect(find(translation, 'nameclaim/a/old').finding.refusal).toBeUndefined();
    expect(find(translation, 'nameclaim/a/young').finding.refusal).toMatch(/^check: /);
  });
});

describe('what is left out is told:', () => {
  test('addresses of Services, with a check only', () => {
    const spec = { addresses: ['10.96.0.10', '192.0.2.9'] };
    expect(endpointsIn(translated(spec))).toEqual([`${name} A 10.96.0.10 192.0.2.9`]);
    const checked = translated({ ...spec, check: { port: 25 } });
    expect(endpointsIn(checked)).toEqual([`${name} A 192.0.2.9`]);
    expect(checked.finding.notes).toEqual(['left out addresses of Services: those are never checked']);
    expect(endpointsIn(translated(spec, { isOfService: undefined }))).toEqual([`${name} A 10.96.0.10 192.0.2.9`]);
  });

  test('addresses and backups outside the networks of the namespace', () => {
    const tenants = [tenant('a', { networks: ['192.0.2.0/30'] })];
    const spec = {
      addresses: ['192.0.2.9', '192.0.2.1'],
      check: { port: 25 },
      whenAllDown: 'Backup',
      backup: ['192.0.2.2', '192.0.2.10'],
    };
    const { answers, finding, ...whole } = translated(spec, { tenants });
    expect(endpointsIn(whole)).toEqual([`${name} A 192.0.2.1`]);
    expect(answers.get(`${name}. A`)?.backup).toEqual(['192.0.2.2']);
    expect(finding.notes).toHaveLength(2);
  });

  test('Machines beyond the limit of a host, the youngest first', () => {
    const machines = Array.from({ length: 70 }, (_, i) => mail(`m${i}`, `192.0.2.${i + 1}`, {}, i));
    const { endpoints, finding } = translated(role, { machines });
    expect(endpoints[0]?.targets).toHaveLength(64);
    expect(endpoints[0]?.targets.at(-1)).toBe('192.0.2.64');
    expect(finding.notes).toEqual([
      'answered with 64 addresses of each family, those of the oldest Machines: it has more',
    ]);
  });
});
