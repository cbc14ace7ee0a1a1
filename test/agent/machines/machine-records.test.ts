import { describe, expect, test } from 'vitest';
import { nameRestrictions } from '../../../functions/agent/discovery/tenancy.ts';
import { sourceObjectOf } from '../../../functions/agent/machines/translated.ts';
import { discoveredMark } from '../../../functions/agent/powerdns/rrset.ts';
import { noSources } from '../../../functions/agent/sources/source-object.ts';
import { discoveryWith } from '../../contract/declared.ts';
import { endpointsIn, find, machine, tenant, translationOf } from './objects.ts';

const nas = '192.0.2.7 2001:db8::7';

describe('a Machine has', () => {
  test.each<[reason: string, spec: object, endpoints: string[]]>([
    ['its own name in the first zone', {}, ['nas.corp.internal A 192.0.2.7', 'nas.corp.internal AAAA 2001:db8::7']],
    ['another name', { hostname: 'box', addresses: ['192.0.2.7'] }, ['box.corp.internal A 192.0.2.7']],
    [
      'a name of several labels',
      { hostname: 'nas.lab', addresses: ['192.0.2.7'] },
      ['nas.lab.corp.internal A 192.0.2.7'],
    ],
    [
      'a zone of its choice',
      { zone: 'signed.internal', addresses: ['192.0.2.7'] },
      ['nas.signed.internal A 192.0.2.7'],
    ],
    // Whether a zone is declared is decided with all other objects.
    [
      'a zone that is not declared',
      { zone: 'other.internal', addresses: ['192.0.2.7'] },
      ['nas.other.internal A 192.0.2.7'],
    ],
    ['a TTL', { ttl: 30, addresses: ['192.0.2.7'] }, ['nas.corp.internal A 192.0.2.7 30']],
    [
      'a full name, wherever its zone is in the spec',
      { hostname: 'nas.signed.internal', addresses: ['192.0.2.7'], aliases: ['files.signed.internal'] },
      ['nas.signed.internal A 192.0.2.7', 'files.signed.internal CNAME nas.signed.internal'],
    ],
    [
      'an alias that is its name only once',
      { addresses: ['192.0.2.7'], aliases: ['nas'] },
      ['nas.corp.internal A 192.0.2.7'],
    ],
    [
      'aliases that follow it',
      { aliases: ['files', 'backup.lab'], addresses: ['192.0.2.7'], ttl: 30 },
      [
        'nas.corp.internal A 192.0.2.7 30',
        'files.corp.internal CNAME nas.corp.internal 30',
        'backup.lab.corp.internal CNAME nas.corp.internal 30',
      ],
    ],
    [
      'one spelling of an address',
      { addresses: ['2001:DB8::7', '2001:db8:0::7'] },
      ['nas.corp.internal AAAA 2001:db8::7'],
    ],
    ['nothing without an address', { addresses: [], aliases: ['files'] }, []],
  ])('%s', (_, spec, endpoints) => {
    const translation = translationOf({ machines: [machine('nas', nas, { spec: { ...spec } })] });
    expect(endpointsIn(find(translation, 'machine/a/nas'))).toEqual(endpoints);
  });

  test.each<[reason: string, spec: object, refusal: string]>([
    ['is refused by its schema', { hostname: '*' }, 'spec.hostname: hostname must be a host name without the zone'],
  ])('nothing but a refusal when its name %s', (_, spec, refusal) => {
    const { endpoints, finding } = find(
      translationOf({ machines: [machine('nas', nas, { spec: { ...spec } })] }),
      'machine/a/nas',
    );
    expect(endpoints).toEqual([]);
    expect(finding.refusal).toMatch(new RegExp(`^${refusal}`));
  });

  test('no name where there is no zone for hosts', () => {
    const translation = translationOf({
      machines: [machine('nas', nas)],
      zones: new Map([['2.0.192.in-addr.arpa.', false]]),
    });
    expect(find(translation, 'machine/a/nas').finding.refusal).toMatch(/^the InternalDNS has no zone for hosts/);
  });

  test('by default the first zone in which its tenant has the name, by the rules of all discovered names', () => {
    const tenants = [tenant('a', {}, ['*.signed.internal'])];
    const discovery = discoveryWith({ tenants });
    const restrictions = nameRestrictions(discovery, { ...noSources, namespaceLabels: (team) => ({ team }) });
    const mayHave = (resource: string, name: string) =>
      restrictions.for({ name, type: 'A', ttl: 60, records: [], mark: discoveredMark('o', resource) }) === undefined;
    const machines = [machine('nas', nas), machine('nas', nas, { namespace: 'b' })];
    const translation = translationOf({ machines, tenants, mayHave });
    expect(find(translation, 'machine/a/nas').finding.fqdn).toBe('nas.signed.internal');
    expect(find(translation, 'machine/b/nas').finding.fqdn).toBe('nas.corp.internal');
  });

  test('only the addresses that its namespace can have, and a note on the others', () => {
    const tenants = [tenant('a', { networks: ['192.0.2.0/29', '2001:db8::/32'] })];
    const machines = [
      machine('nas', '192.0.2.7 192.0.2.8 2001:db8::7'),
      machine('nas', '192.0.2.8', { namespace: 'b' }),
    ];
    const translation = translationOf({ machines, tenants });
    const own = find(translation, 'machine/a/nas');
    expect(endpointsIn(own)).toEqual(['nas.corp.internal A 192.0.2.7', 'nas.corp.internal AAAA 2001:db8::7']);
    expect(own.finding.notes).toEqual([
      'left out 192.0.2.8: namespace a can have addresses in 192.0.2.0/29, 2001:db8::/32 only (discovery.tenants)',
    ]);
    expect(endpointsIn(find(translation, 'machine/b/nas'))).toEqual(['nas.corp.internal A 192.0.2.8']);
  });

  test('nothing while the labels of its namespace are unknown, and only for that long', () => {
    const translation = translationOf({
      machines: [machine('nas', nas)],
      tenants: [tenant('a')],
      labelsOf: () => undefined,
    });
    expect(find(translation, 'machine/a/nas').finding).toMatchObject({
      refusal: 'the labels of namespace a are not known yet',
      isTemporary: true,
    });
  });
});

test('a Machine without an address still asks for its names, so that they are held for a while', () => {
  const spec = { aliases: ['files'] };
  const sourceObject = sourceObjectOf(
    find(translationOf({ machines: [machine('nas', '', { spec })] }), 'machine/a/nas'),
  );
  expect(sourceObject).toMatchObject({ hosts: ['nas.corp.internal.', 'files.corp.internal.'], targets: [] });
});

test('a Machine is one of the objects that ask for hosts', () => {
  const spec = { aliases: ['files'], ttl: 30 };
  const sourceObject = sourceObjectOf(
    find(translationOf({ machines: [machine('nas', nas, { spec })] }), 'machine/a/nas'),
  );
  expect(sourceObject).toEqual({
    resource: 'machine/a/nas',
    namespace: 'a',
    uid: 'uid-a-nas',
    created: '2026-01-01T00:00:00.000Z',
    hosts: ['nas.corp.internal.', 'files.corp.internal.'],
    targets: ['192.0.2.7', '2001:db8::7', 'nas.corp.internal.'],
    parts: new Map([
      ['nas.corp.internal. A', { targets: ['192.0.2.7'], ttl: 30 }],
      ['nas.corp.internal. AAAA', { targets: ['2001:db8::7'], ttl: 30 }],
      ['files.corp.internal. CNAME', { targets: ['nas.corp.internal.'], ttl: 30 }],
    ]),
  });
});
