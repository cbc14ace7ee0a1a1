import { describe, expect, test } from 'vitest';
import type { KubernetesObject, Observed } from '../../functions/cdk8s-function-xp/composition.ts';
import { run } from '../../functions/cdk8s-function-xp/function.ts';
import { declaration as contract, hashOf } from '../../functions/contract/declaration.ts';
import type { Report } from '../../functions/contract/report.ts';
import { waysIn } from '../../functions/contract/ways-in.ts';
import { internalDNS } from '../../functions/internal-dns/composition.ts';
import { requestFor } from '../cdk8s-function-xp/client.ts';
import { privateKey } from '../golden/cluster.ts';
import { internalDNSOf } from './refusals.ts';

type Spec = Record<string, unknown>;

const answer = (spec: Spec, observed: Observed = {}, status?: object) =>
  run(requestFor({ ...internalDNSOf(spec), ...(status && { status }) }, observed), internalDNS);

const objects = (response: ReturnType<typeof answer>) =>
  Object.values(response.desired?.resources ?? {}).map(({ resource }) => resource as KubernetesObject);

const textOf = (response: ReturnType<typeof answer>): string =>
  objects(response).find(({ metadata }) => metadata.name === 'idns-corp-declared')?.data['declaration.json'];

const zonesIn = (response: ReturnType<typeof answer>) => contract.parse(JSON.parse(textOf(response))).zones;

/** A Service with addresses from the cluster. */
const service = (...clusterIPs: string[]): Observed => ({
  'services/dns': { apiVersion: 'v1', kind: 'Service', metadata: { name: 'idns-corp' }, spec: { clusterIPs } },
});

const zone = (fields: object) => ({ zones: [{ name: 'corp.internal', ...fields }] });
const withRecords = (...records: object[]) => zone({ records });

describe('the declaration', () => {
  test('has the records as they are written, and every other setting of a zone', () => {
    const records = [
      { name: '@', type: 'MX', values: ['10 mail'] },
      { name: 'mail', type: 'A', ttl: 30, values: ['192.0.2.25', '192.0.2.26'], ptr: true, check: { port: 25 } },
    ];
    const settings = { nameServers: ['ns1.corp.internal'], soa: { rname: 'dns@corp.internal' }, defaultTTL: 300 };
    const recordsFrom = [{ configMapKeyRef: { name: 'zones', key: 'corp' } }];
    const response = answer({ ...zone({ ...settings, records, recordsFrom }), discovery: { reverse: 'Publish' } });
    expect(response.results).toEqual([]);
    const declared = contract.parse(JSON.parse(textOf(response)));
    expect(declared.zones).toEqual([
      { name: 'corp.internal', ...settings, records, recordsFrom: [{ configMap: 'zones', key: 'corp' }] },
    ]);
    expect(declared.discovery?.reverse).toBe(true);
  });

  const declaredBy = (spec: Spec, observed?: Observed) => JSON.parse(textOf(answer(spec, observed)));

  test('has the name of the composite, and the number of replicas', () => {
    expect(declaredBy(zone({}))).toMatchObject({ name: 'corp', replicas: 1 });
    expect(declaredBy({ ...zone({}), replicas: 3 })).toMatchObject({ name: 'corp', replicas: 3 });
  });

  test('has the size of the volumes, and none where there are none', () => {
    expect(declaredBy({ ...zone({}), storage: { size: '2Gi' } }).storage).toEqual({ size: '2Gi' });
    expect(declaredBy({ ...zone({}), storage: { type: 'Ephemeral' } })).not.toHaveProperty('storage');
  });

  test.for<[string, Spec, string[]]>([
    ['ClusterIP', {}, ['198.18.0.53', '2001:db8::53']],
    ['NodePort', { type: 'NodePort' }, ['198.18.0.53', '2001:db8::53']],
    ['LoadBalancer', { type: 'LoadBalancer' }, []],
    ['any with addresses of its own', { addresses: ['203.0.113.53'] }, ['203.0.113.53']],
  ])('has the cluster IPs of a Service of type %s, besides the address for clients', ([, chosen, addresses]) => {
    const spec = { ...zone({}), service: chosen };
    const declared = declaredBy(spec, service('198.18.0.53', '2001:db8::53'));
    expect(declared).toMatchObject({ addresses, service: ['198.18.0.53', '2001:db8::53'] });
  });

  test.for([[], ['None']])('has no cluster IPs while the Service has %j', (clusterIPs) => {
    expect(declaredBy(zone({}), service(...clusterIPs))).toMatchObject({ service: [] });
    expect(declaredBy(zone({}))).toMatchObject({ service: [] });
  });

  test('has the kinds that are composed only if the cluster serves them, with monitoring only', () => {
    expect(declaredBy({ ...zone({}), monitoring: { enabled: true } })).toMatchObject({
      optional: ['podmonitors.v1.monitoring.coreos.com', 'prometheusrules.v1.monitoring.coreos.com'],
    });
    expect(declaredBy(zone({}))).toMatchObject({ optional: [] });
  });

  const letGo = (time?: string) => {
    const composite = internalDNSOf(zone({}));
    const annotated = {
      ...composite,
      metadata: { ...composite.metadata, annotations: { ...(time !== undefined && { 'dns.internal/let-go': time }) } },
    };
    return run(requestFor(annotated), internalDNS);
  };

  test.for(['2026-01-31T12:00:00Z', '2026-01-31T13:00:00.5+01:00'])(
    'has the time %s to let go of held names',
    (time) => {
      expect(contract.parse(JSON.parse(textOf(letGo(time)))).discovery?.deleteGuard).toEqual({
        percent: 50,
        holdSeconds: 600,
        letGo: time,
      });
      expect(textOf(letGo())).not.toContain('letGo');
    },
  );

  test.for(['now', '', '2026-01-31', '2026-13-31T12:00:00Z', '2026-01-31T12:00:00', '1769860800'])(
    'is refused with %j as the time to let go',
    (time) => {
      const { results, desired } = letGo(time);
      expect(desired?.resources ?? {}).toEqual({});
      expect(results[0]?.message).toBe(
        `cannot accept metadata.annotations["dns.internal/let-go"]: not an RFC 3339 time: ${JSON.stringify(time)} (such as 2026-01-31T12:00:00Z; "date -u +%FT%TZ" prints the current time)`,
      );
    },
  );

  test('of a minimal spec has every default, as the agent has none', () => {
    const { discovery } = JSON.parse(textOf(answer(zone({}))));
    expect(discovery).toEqual({
      ownerID: 'corp',
      intervalSeconds: 10,
      reverse: false,
      sources: [
        { kind: 'Ingress', isAnticipated: true },
        { kind: 'Service', serviceTypes: ['LoadBalancer'], isAnticipated: true },
      ],
      namespaces: [],
      hostnames: 'SpecAndAnnotations',
      policy: 'Sync',
      recordTypes: ['A', 'AAAA', 'CNAME'],
      excludedDomains: [],
      targets: { default: [], override: [], networks: [], excludedNetworks: [], hostNames: 'Addresses' },
      deleteGuard: { percent: 50, holdSeconds: 600 },
      sharedHosts: 'SameNamespace',
      tenants: [],
      reservedNames: [],
      allowAcrossNamespaces: [],
      maxNamesPerNamespace: 1000,
    });
  });

  test('has a line for each short record', () => {
    const text = textOf(answer(withRecords({ name: 'www', type: 'A', values: ['192.0.2.80'] })));
    expect(text.split('\n').map((line) => line.trim())).toContain('{"name":"www","type":"A","values":["192.0.2.80"]}');
  });

  test('is the same text, whatever the order of the fields', () => {
    const one = answer(withRecords({ name: 'www', type: 'A', ttl: 5, values: ['192.0.2.80'] }));
    const other = answer(withRecords({ values: ['192.0.2.80'], ttl: 5, type: 'A', name: 'www' }));
    expect(textOf(one)).toBe(textOf(other));
  });

  test('that is too large for a ConfigMap is refused with a cure', () => {
    const records = Array.from({ length: 300 }, (_, i) => ({ name: `t${i}`, type: 'TXT', values: ['x'.repeat(3900)] }));
    const { results } = answer(withRecords(...records));
    expect(results[0]?.message).toMatch(
      /^cannot accept the spec: its zones take 1,2\d\d,\d{3} bytes, but only 1,000,000 fit into a ConfigMap: move records into a zone file and reference it in recordsFrom$/,
    );
  });
});

describe('the ways in', () => {
  const waysOf = (response: ReturnType<typeof answer>) =>
    waysIn.parse(
      JSON.parse(
        objects(response).find(({ metadata }) => metadata.name === 'idns-corp-declared')?.data['ways-in.json'],
      ),
    );
  const spec = {
    ...zone({}),
    service: { type: 'NodePort' },
    additionalServices: [{ name: 'lan', type: 'LoadBalancer' }],
  };
  const observed: Observed = {
    'services/dns': {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'idns-corp' },
      spec: { clusterIPs: ['198.18.0.53'], ipFamilies: ['IPv4'], ports: [{ port: 53, nodePort: 30053 }] },
    },
    'services/additional/lan': {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'idns-corp-lan' },
      status: { loadBalancer: { ingress: [{ hostname: 'lb.example.com' }] } },
    },
    'mailboxes/status': {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'idns-corp-status' },
      data: {
        'idns-corp-0': JSON.stringify({
          declaration: '',
          zones: [],
          discovery: { state: 'Off' },
          hostIPs: ['192.0.2.1'],
        }),
      },
    },
  };

  test('are the addresses and ports of each Service, and what is missing', () => {
    expect(waysOf(answer(spec, observed))).toEqual({
      ways: [
        { service: 'service', type: 'NodePort', servers: [{ address: '192.0.2.1', port: 30053 }] },
        { service: 'lan', type: 'LoadBalancer', servers: [], hostname: 'lb.example.com' },
      ],
      notes: [
        expect.stringMatching(/^Service idns-corp-lan has only the name lb\.example\.com, to which no resolver can/),
      ],
    });
    expect(waysOf(answer(zone({}))).notes).toEqual(['Service idns-corp has no address yet']);
    const advertised = { ...spec, advertise: 'lan' };
    expect(waysOf(answer(advertised, observed)).notes).toEqual([
      expect.anything(),
      expect.stringMatching(
        /^until Service idns-corp-lan has an address, the zones' name servers have none, and their/,
      ),
    ]);
  });

  test('are not in the text that reports repeat the hash of: another address leaves the InternalDNS ready', () => {
    const named = textOf(answer(spec, observed));
    const { 'services/additional/lan': lan, ...others } = observed as Record<string, KubernetesObject>;
    const addressed = { ...lan, status: { loadBalancer: { ingress: [{ ip: '192.0.2.53' }] } } } as KubernetesObject;
    const later = answer(spec, { ...others, 'services/additional/lan': addressed });
    expect(waysOf(later).ways[1]?.servers).toEqual([{ address: '192.0.2.53', port: 53 }]);
    expect(textOf(later)).toBe(named);
  });
});

describe('a placeholder', () => {
  const recordsIn = (spec: Spec, observed?: Observed) => zonesIn(answer(spec, observed))[0]?.records;

  test('stands for the names of the composite and the zone, in names and values', () => {
    const record = { name: '{{xr.name}}-info', type: 'TXT', values: ['{{zone.name}} by {{xr.name}}'] };
    expect(recordsIn(withRecords(record))).toEqual([
      { name: 'corp-info', type: 'TXT', values: ['corp.internal by corp'] },
    ]);
  });

  test.for([
    ['A', ['198.18.0.53', '198.18.0.54']],
    ['AAAA', ['2001:db8::53']],
    ['TXT', ['198.18.0.53']],
  ])('of the address as the whole value of %s is %s', ([type, values]) => {
    const record = { name: 'dns', type, values: ['{{service.address}}'] };
    const observed = service('198.18.0.53', '2001:db8::53', '198.18.0.54');
    expect(recordsIn(withRecords(record), observed)).toEqual([{ name: 'dns', type, values }]);
  });

  test('without an address omits its value and weight, and a record without values', () => {
    const spec = withRecords(
      { name: 'dns', type: 'A', values: ['{{service.address}}'] },
      { name: '{{service.address}}', type: 'TXT', values: ['x'] },
      { name: 'any', type: 'A', values: ['{{service.address}}', '192.0.2.1'], answer: 'Weighted', weights: [9, 1] },
    );
    expect(recordsIn(spec)).toEqual([
      { name: 'any', type: 'A', values: ['192.0.2.1'], answer: 'Weighted', weights: [1] },
    ]);
    expect(recordsIn(spec, service('198.18.0.53', '198.18.0.54'))?.at(-1)).toMatchObject({
      values: ['198.18.0.53', '198.18.0.54', '192.0.2.1'],
      weights: [9, 9, 1],
    });
  });

  test.for<[string, string, string[], string[]]>([
    ['a value that is written, too', 'A', ['{{service.address}}', '198.18.0.53'], ['198.18.0.53']],
    ['one that is written before it', 'A', ['198.18.0.53', '{{service.address}}'], ['198.18.0.53']],
    ['one that is written in another form', 'AAAA', ['2001:DB8:0::53', '{{service.address}}'], ['2001:DB8:0::53']],
    ['what another one stands for', 'TXT', ['{{xr.name}}', '{{xr.name}}{{xr.name}}', 'corp'], ['corpcorp', 'corp']],
    ['a name that is written in full', 'MX', ['10 {{xr.name}}', '10 corp.{{zone.name}}.'], ['10 corp']],
  ])('is the address with %s', ([, type, values, expected]) => {
    const observed = service('198.18.0.53', '2001:db8::53');
    const spec = withRecords({ name: 'dns', type, values });
    expect(recordsIn(spec, observed)).toEqual([{ name: 'dns', type, values: expected }]);
  });

  test('has the weight of the same address', () => {
    const weighted = { name: 'dns', type: 'A', answer: 'Weighted' };
    const spec = withRecords({ ...weighted, values: ['{{service.address}}', '198.18.0.53'], weights: [9, 1] });
    expect(recordsIn(spec, service('198.18.0.53', '198.18.0.54'))).toEqual([
      { ...weighted, values: ['198.18.0.54', '198.18.0.53'], weights: [9, 1] },
    ]);
  });

  test('has one value for an address that the Service reports twice', () => {
    const spec = withRecords({ name: 'dns', type: 'AAAA', values: ['{{service.address}}'] });
    const addresses = ['2001:db8::53', '2001:DB8::53'];
    expect(recordsIn({ ...spec, service: { addresses } })?.[0]?.values).toEqual(['2001:db8::53']);
  });

  test.for<[string, string[]]>([
    ['it', ['{{service.address}}', '{{service.address}}', '198.18.0.53']],
    ['a value beside it', ['{{service.address}}', '198.18.0.53', '198.18.0.53']],
  ])('does not hide %s that is written twice', ([, values]) => {
    const spec = withRecords({ name: 'dns', type: 'A', values });
    for (const observed of [{}, service('198.18.0.53'), service('198.18.0.54')]) {
      expect(answer(spec, observed).results[0]?.message).toContain(': duplicate of records[0].values[');
    }
  });

  test('does not shift the index in the message on a later value', () => {
    const records = [
      { name: 'dns', type: 'AAAA', values: ['{{service.address}}'] },
      { name: 'www', type: 'A', values: ['{{service.address}}', '192.0.2.1', '192.0.2.256', '192.0.2.1'] },
    ];
    const { results } = answer(withRecords(...records), service('198.18.0.53', '198.18.0.54'));
    expect(results[0]?.message).toBe(
      'cannot accept the spec: spec.zones[0].records[1].values[2]: not an IPv4 address: 192.0.2.256; ' +
        'spec.zones[0].records[1].values[3]: duplicate of records[1].values[1]',
    );
  });

  test('hides no fault while there is no address', () => {
    const record = { name: 'a b', type: 'A', values: ['{{service.address}}'] };
    expect(answer(withRecords(record)).results[0]?.message).toContain('spec.zones[0].records[0].name: ');
  });
});

describe('PowerDNS is configured', () => {
  const settings = (...records: object[]): string =>
    objects(answer(withRecords(...records))).find(({ data }) => data?.['pdns.conf'])?.data['pdns.conf'];
  const www = { name: 'www', type: 'A', values: ['192.0.2.80'] };

  test('to evaluate LUA records only if there is one', () => {
    for (const dynamic of [{ check: { port: 80 } }, { answer: 'Random' }]) {
      expect(settings({ ...www, ...dynamic })).toContain('\nenable-lua-records=shared\n');
    }
    expect(settings({ ...www, answer: 'All' })).not.toContain('enable-lua-records');
    const served = { name: 'dns', type: 'A', values: ['{{service.address}}'], answer: 'Random' };
    expect(settings(served)).toContain('enable-lua-records');
  });

  test('for every record that a team can apply, and has a Secret for its keys, if teams have Zones', () => {
    const composed = objects(
      answer({ zones: [{ name: 'corp.internal' }], discovery: { sources: [{ kind: 'Zone' }] } }),
    );
    expect(composed.find(({ data }) => data?.['pdns.conf'])?.data['pdns.conf']).toContain('enable-lua-records=shared');
    expect(composed.find(({ kind }) => kind === 'Secret')?.metadata.name).toBe('idns-corp-dnssec');
    const rules = composed.find(({ kind }) => kind === 'Role')?.rules;
    expect(rules).toContainEqual(
      expect.objectContaining({ resources: ['secrets'], resourceNames: ['idns-corp-dnssec'] }),
    );
  });

  test('to look for DNAMEs only if there is one', () => {
    expect(settings({ name: 'old', type: 'DNAME', values: ['new'] })).toContain('\ndname-processing=yes\n');
    expect(settings(www)).not.toContain('dname');
  });
});

describe('of a signed zone', () => {
  const signature = { ds: ['23 13 2 aa'], dnskey: ['257 3 13 aa'] };
  const signed = zone({ dnssec: { mode: 'Signed', nsec3: true } });
  const secretOf = (data?: object): Observed => ({
    'keys/dnssec': { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'idns-corp-dnssec' }, ...(data && { data }) },
  });
  const statusWith = (dnssec: object) => ({ zones: [{ name: 'corp.internal', state: 'Serving', dnssec }] });
  const reported = (text: string, dnssec: object | undefined = signature): Observed => {
    const report: Report = {
      declaration: hashOf(text),
      zones: [{ name: 'corp.internal', state: 'Serving', ...(dnssec && { dnssec: dnssec as typeof signature }) }],
      warnings: [],
      discovery: { state: 'Synced' },
    };
    const data = { 'idns-corp-0': JSON.stringify(report) };
    return {
      'mailboxes/status': { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'idns-corp-status' }, data },
    };
  };
  const statusOf = (response: ReturnType<typeof answer>) => response.desired?.composite?.resource?.status;

  test('the declaration has the signing settings, and that it was not signed before', () => {
    const dnssec = { mode: 'Signed', algorithm: 'ECDSA256', nsec3: true, ds: [] };
    expect(zonesIn(answer(signed))).toEqual([{ name: 'corp.internal', nameServers: [], dnssec }]);
  });

  test('the declaration has the DS of the status, so that a lost key is noticed', () => {
    const response = answer(signed, {}, statusWith(signature));
    expect(zonesIn(response)[0]?.dnssec?.ds).toEqual(signature.ds);
    expect(statusOf(response).zones[0].dnssec).toEqual(signature);
  });

  test('a first DS is in the declaration and the status as soon as it is reported, and nothing changes afterwards', () => {
    const first = answer(signed);
    const second = answer(signed, reported(textOf(first)));
    expect(zonesIn(second)[0]?.dnssec?.ds).toEqual(signature.ds);
    const status = statusOf(second);
    expect(status.zones[0].dnssec).toEqual(signature);
    const third = answer(signed, reported(textOf(second)), status);
    expect(textOf(third)).toBe(textOf(second));
    expect(statusOf(third).zonesServed).toBe('1/1');
  });

  test('a report on another declaration does not change its keys', () => {
    expect(zonesIn(answer(signed, reported('{}')))[0]?.dnssec?.ds).toEqual([]);
  });

  test('the status has its keys until it is "Off"', () => {
    const unsigning = answer(zone({ dnssec: { mode: 'Unsigning' } }), {}, statusWith(signature));
    expect(statusOf(unsigning).zones[0].dnssec).toEqual(signature);
    const off = answer(zone({ dnssec: { mode: 'Off' } }), {}, statusWith(signature));
    expect(statusOf(off).zones[0].dnssec).toBeUndefined();
    expect(zonesIn(off)[0]?.dnssec).toBeUndefined();
  });

  test('a status of another shape is not an error', () => {
    for (const zones of [null, 1, [null], [{ name: 'corp.internal', dnssec: { ds: 'x' } }]]) {
      expect(zonesIn(answer(signed, {}, { zones }))[0]?.dnssec?.ds).toEqual([]);
    }
  });

  test.for<[string, Spec, Observed, boolean]>([
    ['a zone is signed', signed, {}, true],
    ['a zone is being unsigned', zone({ dnssec: { mode: 'Unsigning' } }), {}, true],
    ['no zone is signed', zone({ dnssec: {} }), {}, false],
    ['no zone is signed, and it is empty', zone({}), secretOf(), false],
    ['the signed zone is out of the list for a while', zone({}), secretOf({ 'old.internal': privateKey }), true],
  ])('the Secret is composed when %s: $3', ([, spec, observed, isThere]) => {
    const all = objects(answer(spec, observed));
    const secrets = all.filter(({ kind }) => kind === 'Secret');
    expect(secrets.map(({ metadata }) => metadata.name)).toEqual(isThere ? ['idns-corp-dnssec'] : []);
    for (const secret of secrets) expect(Object.keys(secret).sort()).toEqual(['apiVersion', 'kind', 'metadata']);
    const rules = all.find(({ kind }) => kind === 'Role')?.rules.flatMap((r: { resources: string[] }) => r.resources);
    expect(rules.includes('secrets')).toBe(isThere);
  });

  test('the content of the Secret is in no response', () => {
    const observed = { ...secretOf({ 'corp.internal': privateKey }), ...reported(textOf(answer(signed))) };
    const response = JSON.stringify(answer(signed, observed, statusWith(signature)));
    expect(response).toContain('idns-corp-dnssec');
    expect(response).not.toContain(privateKey);
    expect(response).not.toContain(Buffer.from(privateKey, 'base64').toString().split('\n')[1]);
  });

  test('a first signed zone restarts no pod', () => {
    const pods = (spec: Spec) => objects(answer(spec)).find(({ kind }) => kind === 'StatefulSet')?.spec.template;
    expect(pods(signed)).toEqual(pods(zone({})));
  });
});
