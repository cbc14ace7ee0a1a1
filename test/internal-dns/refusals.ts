/** Refused specs and edits with their messages, for the function here and for a real API server in test/e2e. */
import type { KubernetesObject } from '../../functions/cdk8s-function-xp/composition.ts';

type Spec = Record<string, unknown>;

export interface BadSpec {
  reason: string;
  spec: Spec;
  /** The field in the message. */
  path: string;
  /** The beginning of the message, or a pattern if those of the API server and the function differ. */
  message: string | RegExp;
  /** Set if the API server accepts it. */
  rejectedBy?: 'function';
}

export interface BadEdit {
  reason: string;
  before: Spec;
  after: Spec;
  message: string;
}

const zones = [{ name: 'corp.internal' }];
const addressForm = 'must be an IPv4 or IPv6 address, such as 192.0.2.7 or 2001:db8::7';
const domainForm =
  'must be a domain name: labels of letters, digits and hyphens between single dots, such as corp.internal';
const hostForm =
  'name server must be a host name: labels of letters, digits and hyphens between single dots, such as ns1.corp.internal';
const primaryForm = 'soa.mname must be written in full, such as ns1.corp.internal';
const mailboxForm = 'soa.rname must be written in full, such as hostmaster@corp.internal';
const labelForm = 'must be one label of lower case letters, digits and hyphens, such as dns';
const rangeForm =
  'zone name has a slash only where it is a part of a /24 (RFC 2317), such as 64/26.2.0.192.in-addr.arpa';
const durationForm = 'interval must be a duration of at least 1s, such as 2s or 1m30s';
const quantityForm = 'size must be a quantity above zero, such as 1Gi';
const oauthClient = { credentials: { secretRef: { name: 'tailnet-dns' } } };
const oneSort = 'a peer has either ipBlock, or namespaceSelector, podSelector or both';
const exceptRule = 'except must be networks within cidr, each smaller than it';
const tooMany = /too big|too many|must have at most/i;
const tooLong = /too big|too long/i;
const wrongType = /invalid input|invalid type|must be of type/i;
const notOneOf = /expected one of|unsupported value/i;

const zone = (reason: string, name: string, message: string | RegExp, field = '.name'): BadSpec => ({
  reason,
  spec: { zones: [{ name }] },
  path: `spec.zones[0]${field}`,
  message,
});
const service = (reason: string, fields: Spec, path: string, message: string | RegExp): BadSpec => ({
  reason,
  spec: { zones, service: fields },
  path: `spec.service${path}`,
  message,
});
const additional = (reason: string, list: Spec[], path: string, message: string | RegExp): BadSpec => ({
  reason,
  spec: { zones, additionalServices: list },
  path: `spec.additionalServices${path}`,
  message,
});
/** Fields that contradict each other. */
const spec = (reason: string, fields: Spec, message: string): BadSpec => ({
  reason,
  spec: { zones, ...fields },
  path: 'spec',
  message,
});
const securityContext = (reason: string, fields: Spec, path: string, message: string | RegExp): BadSpec => ({
  reason,
  spec: { zones, securityContext: fields },
  path: `spec.securityContext${path}`,
  message,
});
const peer = (reason: string, peer: Spec, path: string, message: string): BadSpec => ({
  reason: `a peer of the status page ${reason}`,
  spec: { zones, statusPage: { from: [peer] } },
  path: `spec.statusPage.from[0]${path}`,
  message,
});
const field = (reason: string, path: string, value: unknown, message: string | RegExp): BadSpec => ({
  reason,
  spec: { zones, ...nested(path.split('.').slice(1), value) },
  path,
  message,
});

/** An invalid record that only the function rejects. */
const record = (reason: string, fields: Spec, path: string, message: string | RegExp, more: Spec = {}): BadSpec => ({
  reason,
  spec: {
    zones: [
      { name: 'corp.internal', ...more, records: [{ name: 'www', type: 'A', values: ['192.0.2.1'], ...fields }] },
    ],
  },
  path: `spec.zones[0].records[0]${path}`,
  message,
  rejectedBy: 'function',
});
/** An invalid record that the schema rejects, too. */
const shape = (reason: string, fields: Spec, path: string, message: string | RegExp): BadSpec => {
  const { rejectedBy: _, ...rest } = record(reason, fields, path, message);
  return rest;
};
const setting = (reason: string, fields: Spec, path: string, message: string | RegExp): BadSpec => ({
  reason,
  spec: { zones: [{ name: 'corp.internal', ...fields }] },
  path: `spec.zones[0].${path}`,
  message,
});
const fromFile = (name: unknown, key: unknown): Spec => ({ recordsFrom: [{ configMapKeyRef: { name, key } }] });

function nested([name, ...rest]: string[], value: unknown): Spec {
  return { [name as string]: rest.length === 0 ? value : nested(rest, value) };
}

const discovery = (reason: string, fields: Spec, path: string, message: string | RegExp): BadSpec => ({
  reason,
  spec: { zones, discovery: fields },
  path: `spec.discovery${path}`,
  message,
});
/** An invalid source. */
const source = (reason: string, fields: Spec, path: string, message: string | RegExp): BadSpec =>
  discovery(reason, { sources: [fields] }, `.sources[0]${path}`, message);
const tenant = (names: string[], namespaceSelector: Spec = {}): Spec => ({ tenants: [{ namespaceSelector, names }] });
const twice = /must not contain duplicates|Duplicate value/;
const onlyFunction = (bad: BadSpec): BadSpec => ({ ...bad, rejectedBy: 'function' });
const everywhere = (kinds: string) => `namespaces cannot be used with ${kinds}: `;
const namespaceForm = (field: string) => `${field} must be the name of a namespace`;
const objectForm = (field: string) => `${field} must be the name of an object`;
const targetForm = 'a target must be an address or a name in lower case';
const networkForm = 'a network must be an address with the length of its prefix';
const patternForm = (field: string) => `${field} must be a name, *.name for every name below it`;
const valuesForm = 'values belong to In and NotIn, which need at least one';
const selectorValue = 'a selector compares with letters, digits, hyphens, underscores and dots only';
/** The API server lists the allowed flags; the function names the alternative. */
const flag = (argument: string, says: string): BadSpec =>
  discovery(
    `the argument ${argument.slice(0, 40)} is not for people`,
    { extraArgs: [argument] },
    '.extraArgs[0]',
    new RegExp(`${says}|^extraArgs takes only flags|: extraArgs takes only flags`),
  );

/** An invalid resolver. */
const resolver = (reason: string, fields: Spec, path: string, message: string | RegExp): BadSpec => ({
  reason,
  spec: { zones, resolver: fields },
  path: `spec.resolver${path}`,
  message,
});
const upstream = (reason: string, fields: Spec, path: string, message: string | RegExp): BadSpec =>
  resolver(reason, { forward: { upstreams: [fields] } }, `.forward.upstreams[0]${path}`, message);
const views = (reason: string, list: Spec[], path: string, message: string | RegExp): BadSpec =>
  resolver(reason, { views: list }, `.views${path}`, message);
const forwarding = { forward: { upstreams: [{ address: '192.0.2.53' }] } };
const tls = { certificate: { secretRef: { name: 'dns-tls' } } };
const upstreamForm =
  'address must be an IPv4 or IPv6 address, optionally with a port, such as 192.0.2.1, 192.0.2.1:5353';

export const badSpecs: readonly BadSpec[] = [
  { reason: 'there are no zones', spec: {}, path: 'spec.zones', message: /required/i },
  { reason: 'the list of zones is empty', spec: { zones: [] }, path: 'spec.zones', message: /at least 1|>=1 items/ },
  {
    reason: 'there are more zones than 64',
    spec: { zones: Array.from({ length: 65 }, (_, i) => ({ name: `z${i}.internal` })) },
    path: 'spec.zones',
    message: tooMany,
  },
  {
    reason: 'two zones have one name',
    spec: { zones: [...zones, ...zones] },
    path: 'spec.zones',
    // An API server checks the keys of a list map before any rule.
    message: /zones must have different names|Duplicate value/,
  },
  { reason: 'a zone has no name', spec: { zones: [{}] }, path: 'spec.zones[0].name', message: /required/i },
  zone(
    'a zone ends in a dot',
    'corp.internal.',
    'zone name must be written without the trailing dot, such as corp.internal',
  ),
  zone('a zone has capitals', 'Corp.internal', 'zone name must be in lower case, such as corp.internal'),
  zone('a zone has an empty label', 'corp..internal', `zone name ${domainForm}`),
  zone('a zone begins with a dot', '.corp.internal', `zone name ${domainForm}`),
  zone('a zone has a blank', 'corp internal', `zone name ${domainForm}`),
  zone('a zone is a wildcard', '*.corp.internal', `zone name ${domainForm}`),
  zone('a label begins with a hyphen', '-corp.internal', `zone name ${domainForm}`),
  zone('a label ends in a hyphen', 'corp-.internal', `zone name ${domainForm}`),
  zone('a zone is not ASCII', 'bücher.internal', `zone name ${domainForm}`),
  zone('a zone ends its line', 'corp.internal\n', `zone name ${domainForm}`),
  zone(
    'a label has 64 characters',
    `${'a'.repeat(64)}.internal`,
    'zone name has a label of more than 63 characters; RFC 1035 allows 63',
  ),
  zone('a zone has 254 characters', `${'a.'.repeat(126)}aa`, tooLong),
  {
    reason: 'a name server ends in a dot',
    spec: { zones: [{ name: 'corp.internal', nameServers: ['ns1.corp.internal.'] }] },
    path: 'spec.zones[0].nameServers[0]',
    message: 'name server must be written without the trailing dot, such as corp.internal',
  },
  {
    reason: 'a name server has capitals',
    spec: { zones: [{ name: 'corp.internal', nameServers: ['NS1.corp.internal'] }] },
    path: 'spec.zones[0].nameServers[0]',
    message: 'name server must be in lower case, such as corp.internal',
  },
  {
    reason: 'a name server has a label of 64 characters',
    spec: { zones: [{ name: 'corp.internal', nameServers: [`${'a'.repeat(64)}.internal`] }] },
    path: 'spec.zones[0].nameServers[0]',
    message: 'name server has a label of more than 63 characters; RFC 1035 allows 63',
  },
  {
    reason: 'a name server is not a domain name',
    spec: { zones: [{ name: 'corp.internal', nameServers: ['ns 1'] }] },
    path: 'spec.zones[0].nameServers[0]',
    message: hostForm,
  },
  {
    reason: 'a name server has an underscore',
    spec: { zones: [{ name: 'corp.internal', nameServers: ['ns_1.corp.internal'] }] },
    path: 'spec.zones[0].nameServers[0]',
    message: hostForm,
  },
  {
    reason: 'a name server is below a name with an underscore',
    spec: { zones: [{ name: '_msdcs.corp.internal', nameServers: ['ns1._msdcs.corp.internal'] }] },
    path: 'spec.zones[0].nameServers[0]',
    message: hostForm,
  },
  {
    reason: 'a name server is relative',
    spec: { zones: [{ name: 'corp.internal', nameServers: ['ns1.corp.internal', 'ns2'] }] },
    path: 'spec.zones[0].nameServers[1]',
    message: 'name server must be written in full, such as ns1.corp.internal',
  },
  {
    reason: 'a name server is an address',
    spec: { zones: [{ name: 'corp.internal', nameServers: ['192.0.2.53'] }] },
    path: 'spec.zones[0].nameServers[0]',
    message: 'name server is a name, such as ns1.corp.internal: its address is a record of its zone',
  },
  {
    reason: 'a zone has more than 13 name servers',
    spec: { zones: [{ name: 'corp.internal', nameServers: Array.from({ length: 14 }, (_, i) => `ns${i}.internal`) }] },
    path: 'spec.zones[0].nameServers',
    message: tooMany,
  },

  zone('a slash is in a domain', 'a/b.corp.internal', rangeForm),
  zone('a slash is not in the first label', '2.64/26.0.192.in-addr.arpa', rangeForm),
  zone('a part of a network has no network', '64/26.0.192.in-addr.arpa', rangeForm),
  zone('a part is a whole network', '0/24.2.0.192.in-addr.arpa', rangeForm),
  zone(
    'a part of a network has no servers',
    '64/26.2.0.192.in-addr.arpa',
    'a zone with a slash or an underscore in its name needs nameServers of its own',
    '',
  ),
  zone(
    'a zone with an underscore has no servers',
    '_msdcs.corp.internal',
    'a zone with a slash or an underscore in its name needs nameServers of its own',
    '',
  ),
  { ...zone('a part begins within another', '65/26.2.0.192.in-addr.arpa', rangeForm), rejectedBy: 'function' },

  {
    ...setting('the primary server is no name', { soa: { mname: 'a..b' } }, 'soa.mname', /^.*an empty label/),
    rejectedBy: 'function',
  },
  {
    ...setting('the mailbox is invalid', { soa: { rname: '@corp.internal' } }, 'soa.rname', 'not a mailbox'),
    rejectedBy: 'function',
  },
  setting('the primary server is relative', { soa: { mname: 'ns1' } }, 'soa', primaryForm),
  setting('the primary server is one label at the root', { soa: { mname: 'ns1.' } }, 'soa', primaryForm),
  setting('the mailbox is relative', { soa: { rname: 'hostmaster' } }, 'soa', mailboxForm),
  setting('the only dot of the mailbox is escaped', { soa: { rname: 'dns\\.admin' } }, 'soa', mailboxForm),
  setting(
    'a negative answer is cached for two days',
    { soa: { minimum: 172800 } },
    'soa.minimum',
    /<=86400|less than or equal to 86400/,
  ),
  setting('the default TTL is negative', { defaultTTL: -1 }, 'defaultTTL', />=0|greater than or equal to 0/),
  setting('the default TTL is a text', { defaultTTL: '1h' }, 'defaultTTL', wrongType),
  setting('the mode of DNSSEC does not exist', { dnssec: { mode: 'On' } }, 'dnssec.mode', notOneOf),
  setting(
    'the mode of DNSSEC is a YAML boolean',
    { dnssec: { mode: false } },
    'dnssec.mode',
    /expected one of|must be of type string/,
  ),
  setting('the algorithm is deprecated', { dnssec: { algorithm: 'RSASHA1' } }, 'dnssec.algorithm', notOneOf),
  setting(
    'a ConfigMap’s name has capitals',
    fromFile('Zones', 'corp'),
    'recordsFrom[0].configMapKeyRef.name',
    'name must be the name of a ConfigMap',
  ),
  setting(
    'a ConfigMap’s key is a path',
    fromFile('zones', 'corp/internal'),
    'recordsFrom[0].configMapKeyRef.key',
    'key must be a key of a ConfigMap',
  ),
  setting('a zone file has no key', fromFile('zones', undefined), 'recordsFrom[0].configMapKeyRef.key', /required/i),
  setting(
    'there are more zone files than 16',
    { recordsFrom: Array.from({ length: 17 }, () => ({ configMapKeyRef: { name: 'zones', key: 'corp' } })) },
    'recordsFrom',
    tooMany,
  ),
  setting(
    'there are more records than 1000',
    { records: Array.from({ length: 1001 }, (_, i) => ({ name: `r${i}`, type: 'A', values: ['192.0.2.1'] })) },
    'records',
    tooMany,
  ),

  shape('a record has no values', { values: [] }, '.values', /at least 1|>=1 items/),
  shape('a type is code', { type: 'LUA' }, '.type', notOneOf),
  shape('a type is in lower case', { type: 'a' }, '.type', notOneOf),
  shape('a value is a number', { values: [1] }, '.values[0]', wrongType),
  shape('a TTL is a text', { ttl: '5m' }, '.ttl', wrongType),
  shape('a weight is zero', { answer: 'Weighted', weights: [0] }, '.weights[0]', />=1|greater than or equal to 1/),
  record(
    'an address is out of range',
    { values: ['192.0.2.1', '192.0.2.256'] },
    '.values[1]',
    'not an IPv4 address: 192.0.2.256',
  ),
  record('a target has a port', { type: 'CNAME', values: ['lb', 'lb.example.com:443'] }, '.values[1]', 'and a port'),
  record('a target is a network', { type: 'ALIAS', values: ['192.0.2.0/24'] }, '.values[0]', 'a network: 192.0.2.0/24'),
  record('a target has a path', { type: 'DNAME', values: ['lb.example.com/.'] }, '.values[0]', 'a name and a path'),
  record('a target is an invalid address', { type: 'NS', values: ['192.0.2.300'] }, '.values[0]', 'like an IP address'),
  record(
    'a target is in brackets',
    { type: 'HTTPS', values: ['1 [2001:db8::1] alpn=h2'] },
    '.values[0]',
    'not a domain name but an address in brackets: [2001:db8::1]',
  ),
  record('an address is of the other family', { type: 'AAAA' }, '.values[0]', 'not an IPv6 address: 192.0.2.1'),
  record('a name is invalid', { name: 'a b' }, '.name', 'white space in a domain name: a b'),
  record(
    'a record is outside the zone',
    { name: 'www.example.com.' },
    '.values[0]',
    'www.example.com is outside the zone corp.internal',
  ),
  record(
    'a CNAME is at the apex',
    { name: '@', type: 'CNAME', values: ['www'] },
    '.values[0]',
    'a CNAME cannot be at the apex of a zone',
  ),
  record(
    'name servers are declared as a record',
    { name: '@', type: 'NS', values: ['ns1'] },
    '.values[0]',
    'come from nameServers',
  ),
  record(
    'the name of a name server is a CNAME',
    { name: 'ns1', type: 'CNAME', values: ['www'] },
    '.values[0]',
    'must have addresses',
  ),
  record(
    'a null MX is not the only MX',
    { name: '@', type: 'MX', values: ['0 .', '10 mail'] },
    '.values[1]',
    'a null MX must be the only MX (RFC 7505 section 3): records[0].values[0] is another MX of this name',
  ),
  record(
    'a service binding is in AliasMode and ServiceMode',
    { type: 'HTTPS', values: ['1 . alpn=h2', '0 web'] },
    '.values[1]',
    'AliasMode (priority 0) and ServiceMode cannot be mixed (RFC 9460 section 2.4.1)',
  ),
  record(
    'a wildcard is a DNAME',
    { name: '*.old', type: 'DNAME', values: ['new'] },
    '.values[0]',
    'a wildcard cannot have a DNAME (RFC 4592 section 4.4)',
  ),
  record(
    'a DNAME covers a name server of the zone',
    { name: '@', type: 'DNAME', values: ['new.example.'] },
    '.values[0]',
    'it would cover ns1.corp.internal, the name of a server that has its addresses here (RFC 6672 section 2.4)',
  ),
  record(
    'the target of a PTR has no trailing dot',
    { name: '25', type: 'PTR', values: ['mail.corp.internal'] },
    '.values[0]',
    'relative to the zone it is mail.corp.internal.2.0.192.in-addr.arpa, which is not a host name: end it with a dot if mail.corp.internal. is meant',
    { name: '2.0.192.in-addr.arpa' },
  ),
  {
    reason: 'CNAMEs form a loop',
    spec: {
      zones: [
        {
          name: 'corp.internal',
          records: [
            { name: 'a', type: 'CNAME', values: ['b'] },
            { name: 'b', type: 'CNAME', values: ['a'] },
          ],
        },
      ],
    },
    path: 'spec.zones[0].records[1].values[0]',
    message:
      'CNAME loop b.corp.internal -> a.corp.internal -> b.corp.internal: it never resolves (RFC 1034 section 3.6.2)',
    rejectedBy: 'function',
  },
  {
    reason: 'CNAMEs form a loop through another zone',
    spec: {
      zones: [
        { name: 'corp.internal', records: [{ name: 'a', type: 'CNAME', values: ['b.lab.internal.'] }] },
        {
          name: 'lab.internal',
          records: [
            { name: 'c', type: 'A', values: ['192.0.2.1'] },
            { name: '*', type: 'CNAME', values: ['a.corp.internal.'] },
          ],
        },
      ],
    },
    path: 'spec.zones[1].records[1].values[0]',
    message:
      'CNAME loop b.lab.internal -> a.corp.internal -> b.lab.internal (*.lab.internal answers for b.lab.internal): it never resolves',
    rejectedBy: 'function',
  },
  record(
    'a wildcard leads to a name below itself',
    { name: '*.apps', type: 'CNAME', values: ['ingress.apps'] },
    '.values[0]',
    'CNAME loop ingress.apps.corp.internal -> ingress.apps.corp.internal (*.apps.corp.internal answers for ingress.apps.corp.internal): ',
  ),
  record(
    'a DNAME leads to a name below itself',
    { name: 'old', type: 'DNAME', values: ['new.old'] },
    '.values[0]',
    'CNAME loop *.old.corp.internal -> *.new.old.corp.internal -> *.new.new.old.corp.internal -> ...: it never resolves',
  ),
  {
    reason: 'an ALIAS leads to itself through a wildcard',
    spec: {
      zones: [
        {
          name: 'corp.internal',
          records: [
            { name: '@', type: 'ALIAS', values: ['mail'] },
            { name: '*', type: 'CNAME', values: ['@'] },
          ],
        },
      ],
    },
    path: 'spec.zones[0].records[1].values[0]',
    message: 'CNAME loop mail.corp.internal -> corp.internal -> mail.corp.internal (*.corp.internal answers for mail',
    rejectedBy: 'function',
  },
  record(
    'a wildcard is an ALIAS',
    { name: '*.apps', type: 'ALIAS', values: ['lb.example.com.'] },
    '.values[0]',
    'PowerDNS does not answer an ALIAS of a wildcard: use CNAME',
  ),
  {
    reason: 'glue is checked',
    spec: {
      zones: [
        {
          name: 'corp.internal',
          records: [
            { name: 'dev', type: 'NS', values: ['ns1.dev'] },
            { name: 'ns1.dev', type: 'A', values: ['192.0.2.53'], check: { port: 53 } },
          ],
        },
      ],
    },
    path: 'spec.zones[0].records[1].values[0]',
    message: 'leave check, answer and weights out, or referrals lack its address (RFC 1034 section 4.2.1)',
    rejectedBy: 'function',
  },
  record(
    'an address is a duplicate',
    { values: ['192.0.2.1', '192.0.2.1'] },
    '.values[1]',
    'duplicate of records[0].values[0]',
  ),
  record(
    'a preference is missing',
    { type: 'MX', values: ['mail'] },
    '.values[0]',
    'not "preference mail-server", such as "10 mail"',
  ),
  record(
    'a record other than A and AAAA has ptr',
    { type: 'TXT', values: ['x'], ptr: true },
    '.ptr',
    'TXT has no address',
  ),
  record('a text is checked', { type: 'TXT', values: ['x'], check: { port: 80 } }, '.check', 'this is for A and AAAA'),
  record('a check has neither port nor url', { check: {} }, '.check', 'check needs port or url'),
  record(
    'a check has a loopback address',
    { values: ['127.0.0.1'], check: { port: 80 } },
    '.values[0]',
    'a loopback address, which is never checked',
  ),
  record(
    'there are too few weights',
    { values: ['192.0.2.1', '192.0.2.2'], answer: 'Weighted', weights: [1] },
    '.weights',
    'one weight for each value',
  ),
  record(
    'a placeholder is unknown',
    { type: 'TXT', values: ['at {{service.ip}}'] },
    '.values[0]',
    'unknown placeholder {{service.ip}} (known: {{xr.name}}, {{zone.name}}, {{service.address}})',
  ),
  record(
    'a placeholder in a name is unknown',
    { name: '{{value}}' },
    '.name',
    'unknown placeholder {{value}} (known: {{xr.name}}, ',
  ),
  record(
    'a placeholder is not closed',
    { type: 'TXT', values: ['{{xr.name}'] },
    '.values[0]',
    'unknown placeholder {{xr.name} (known: ',
  ),
  record(
    'a placeholder is not for a check',
    { check: { url: 'http://{{value}}/{{xr.name}}' } },
    '.check.url',
    'unknown placeholder {{xr.name}} (known: {{value}})',
  ),
  record(
    'an ALIAS is in a signed zone',
    { type: 'ALIAS', values: ['www.example.com.'] },
    '.type',
    'the addresses that an ALIAS stands for cannot be signed: declare A and AAAA instead',
    { dnssec: { mode: 'Signed' } },
  ),
  ...[{ mode: 'Signed' }, { mode: 'Signed', nsec3: true }, { mode: 'Unsigning' }].map((dnssec) =>
    record(
      `a checked name may lose every address in a zone with ${JSON.stringify(dnssec)}`,
      { check: { port: 80 }, whenAllDown: 'None' },
      '.whenAllDown',
      'a signed zone cannot answer without addresses whose type its NSEC records list (RFC 4035 section 5.4): use All or Backup',
      { dnssec },
    ),
  ),
  {
    reason: 'a record belongs to another zone of the instance',
    spec: {
      zones: [
        { name: 'corp.internal', records: [{ name: 'a.lab', type: 'A', values: ['192.0.2.1'] }] },
        { name: 'lab.corp.internal' },
      ],
    },
    path: 'spec.zones[0].records[0].values[0]',
    message: 'a.lab.corp.internal belongs to the zone lab.corp.internal, which is also declared: put it there',
    rejectedBy: 'function',
  },
  {
    reason: 'a name server of another zone is a CNAME',
    spec: {
      zones: [
        { name: 'corp.internal', records: [{ name: 'dns', type: 'CNAME', values: ['www'] }] },
        { name: 'lab.internal', nameServers: ['dns.corp.internal'] },
      ],
    },
    path: 'spec.zones[0].records[0].values[0]',
    message: 'must have addresses',
    rejectedBy: 'function',
  },
  {
    reason: 'a name server of another zone is checked',
    spec: {
      zones: [
        { name: 'corp.internal', records: [{ name: 'dns', type: 'A', values: ['192.0.2.53'], check: { port: 53 } }] },
        { name: 'lab.corp.internal', nameServers: ['dns.corp.internal'] },
      ],
    },
    path: 'spec.zones[0].records[0].values[0]',
    message: 'plain addresses: referrals do not include computed answers',
    rejectedBy: 'function',
  },
  {
    reason: 'two records have one name and type',
    spec: {
      zones: [
        {
          name: 'corp.internal',
          records: [
            { name: 'www', type: 'A', values: ['192.0.2.1'] },
            { name: 'www.corp.internal.', type: 'A', values: ['192.0.2.2'] },
          ],
        },
      ],
    },
    path: 'spec.zones[0].records[1]',
    message: 'records[0] already has the A records of this name: put all values there',
    rejectedBy: 'function',
  },

  field('reverse does not exist', 'spec.discovery.reverse', 'On', notOneOf),

  field('the namespace is not a name', 'spec.namespace', 'Internal_DNS', 'namespace must be the name of a namespace'),
  field('the namespace is the cluster’s', 'spec.namespace', 'kube-system', 'namespace must be neither kube-* nor'),
  field('Crossplane’s own namespace', 'spec.namespace', 'crossplane-system', 'namespace must be neither kube-* nor'),
  field('the namespace is too long', 'spec.namespace', 'a'.repeat(64), tooLong),
  field('there is no replica', 'spec.replicas', 0, />=1|greater than or equal to 1/),
  field('there are six replicas', 'spec.replicas', 6, /<=5|less than or equal to 5/),
  field('replicas is a text', 'spec.replicas', '2', wrongType),
  field('replicas is a fraction', 'spec.replicas', 1.5, wrongType),

  field('the interval is under 1s', 'spec.discovery.interval', '500ms', durationForm),
  field('the interval has no unit', 'spec.discovery.interval', '5', durationForm),
  field('the interval is negative', 'spec.discovery.interval', '-5s', durationForm),
  field('the interval is in days', 'spec.discovery.interval', '1d', durationForm),
  field('the policy does not exist', 'spec.discovery.policy', 'sync', notOneOf),
  field('the owner has a blank', 'spec.discovery.ownerID', 'a b', 'ownerID must consist of letters, digits, dots'),
  field('the owner has a quote', 'spec.discovery.ownerID', 'a"b', 'ownerID must consist of letters, digits, dots'),
  {
    reason: 'a source is of an unknown kind',
    spec: { zones, discovery: { sources: [{ kind: 'Secret' }] } },
    path: 'spec.discovery.sources[0].kind',
    message: notOneOf,
  },
  {
    reason: 'two sources are of one kind',
    spec: { zones, discovery: { sources: [{ kind: 'Ingress' }, { kind: 'Ingress' }] } },
    path: 'spec.discovery.sources',
    message: /sources must be of different kinds|Duplicate value/,
  },

  source(
    'ingressClassNames is for another kind',
    { kind: 'Service', ingressClassNames: ['nginx'] },
    '',
    'ingressClassNames is a filter of kind: Ingress',
  ),
  source(
    'serviceTypes is for another kind',
    { kind: 'Ingress', serviceTypes: ['ClusterIP'] },
    '',
    'serviceTypes is a filter of kind: Service',
  ),
  source(
    'gatewayName is for another kind',
    { kind: 'Ingress', gatewayName: 'edge' },
    '',
    'gatewayName is a filter of kind: HTTPRoute, GRPCRoute, TLSRoute, TCPRoute, UDPRoute',
  ),
  source(
    'gatewayNamespace is for another kind',
    { kind: 'Pod', gatewayNamespace: 'edge' },
    '',
    'gatewayNamespace is a filter of kind: HTTPRoute, GRPCRoute',
  ),
  source(
    'gatewayLabels is for another kind',
    { kind: 'IstioGateway', gatewayLabels: { a: 'b' } },
    '',
    'gatewayLabels is a filter of kind: HTTPRoute, GRPCRoute',
  ),
  source(
    'resources is for another kind',
    { kind: 'DNSEndpoint', resources: ['a.v1.example.com'] },
    '',
    'resources is a filter of kind: Unstructured',
  ),
  source(
    'kind: Unstructured has no resources',
    { kind: 'Unstructured' },
    '',
    'kind: Unstructured needs resources, such as',
  ),
  source(
    'a resource has no version',
    { kind: 'Unstructured', resources: ['virtualmachines.kubevirt.io'] },
    '.resources[0]',
    'a resource is written as plural.version.group',
  ),
  source(
    'a resource is the name of a kind',
    { kind: 'Unstructured', resources: ['VirtualMachine.v1.kubevirt.io'] },
    '.resources[0]',
    'a resource is written as plural.version.group',
  ),
  source(
    'the list of resources is empty',
    { kind: 'Unstructured', resources: [] },
    '.resources',
    /at least 1|>=1 items/,
  ),
  source(
    'a type of Service does not exist',
    { kind: 'Service', serviceTypes: ['Headless'] },
    '.serviceTypes[0]',
    notOneOf,
  ),
  source(
    'a type of Service is a duplicate',
    { kind: 'Service', serviceTypes: ['ClusterIP', 'ClusterIP'] },
    '.serviceTypes',
    /must not contain duplicates|Duplicate value/,
  ),
  source(
    'the list of types of Services is empty',
    { kind: 'Service', serviceTypes: [] },
    '.serviceTypes',
    /at least 1|>=1 items/,
  ),
  source(
    'a class is not a name',
    { kind: 'Ingress', ingressClassNames: ['a b'] },
    '.ingressClassNames[0]',
    objectForm('ingressClassName'),
  ),
  source(
    'a Gateway is not a name',
    { kind: 'HTTPRoute', gatewayName: 'Edge' },
    '.gatewayName',
    objectForm('gatewayName'),
  ),
  source(
    'the namespace of Gateways is not a name',
    { kind: 'HTTPRoute', gatewayNamespace: 'a.b' },
    '.gatewayNamespace',
    namespaceForm('gatewayNamespace'),
  ),
  source(
    'a label of Gateways has a bad key',
    { kind: 'HTTPRoute', gatewayLabels: { '-a': 'b' } },
    '.gatewayLabels',
    'gatewayLabels must have keys of labels',
  ),
  source(
    'a label of Gateways has a bad value',
    { kind: 'HTTPRoute', gatewayLabels: { a: 'b c' } },
    '.gatewayLabels',
    selectorValue,
  ),
  discovery(
    'two kinds of routes have different Gateways',
    { sources: [{ kind: 'HTTPRoute', gatewayName: 'edge' }, { kind: 'GRPCRoute' }] },
    '.sources',
    'gatewayName, gatewayNamespace and gatewayLabels must be the same for all routes: ExternalDNS has one flag of each',
  ),
  discovery(
    'two kinds of routes have different labels of Gateways',
    {
      sources: [
        { kind: 'HTTPRoute', gatewayLabels: { tier: 'edge' } },
        { kind: 'TLSRoute', gatewayLabels: { tier: 'core' } },
      ],
    },
    '.sources',
    'gatewayName, gatewayNamespace and gatewayLabels must be the same for all routes',
  ),
  discovery(
    'one kind of routes has empty labels of Gateways, another has none',
    { sources: [{ kind: 'HTTPRoute' }, { kind: 'GRPCRoute', gatewayLabels: {} }] },
    '.sources',
    'gatewayName, gatewayNamespace and gatewayLabels must be the same for all routes',
  ),

  discovery(
    'routes are restricted to namespaces',
    { sources: [{ kind: 'GRPCRoute' }], namespaces: ['a'] },
    '',
    everywhere('kind: HTTPRoute, GRPCRoute, TLSRoute, TCPRoute, UDPRoute'),
  ),
  discovery(
    'Nodes are wanted of some namespaces',
    { sources: [{ kind: 'Node' }], namespaces: ['a'] },
    '',
    everywhere('kind: Node'),
  ),
  discovery(
    'Pods are wanted of some namespaces',
    { sources: [{ kind: 'Pod' }], namespaces: ['a'] },
    '',
    everywhere('kind: Pod'),
  ),
  discovery(
    'node ports are restricted to namespaces',
    { sources: [{ kind: 'Service', serviceTypes: ['NodePort'] }], namespaces: ['a'] },
    '',
    everywhere('serviceTypes: NodePort'),
  ),
  discovery('a namespace is not a name', { namespaces: ['a.b'] }, '.namespaces[0]', namespaceForm('namespace')),
  discovery('a namespace is a duplicate', { namespaces: ['a', 'a'] }, '.namespaces', twice),
  discovery(
    'there are nine namespaces',
    { namespaces: Array.from({ length: 9 }, (_, i) => `n${i}`) },
    '.namespaces',
    tooMany,
  ),
  discovery(
    'Services have hostnames: Spec',
    { hostnames: 'Spec' },
    '',
    'hostnames: Spec cannot be used with kind: Service, TCPRoute, UDPRoute, Node, Pod, Unstructured: ',
  ),
  discovery(
    'classes are selected in two ways',
    {
      sources: [{ kind: 'Ingress', ingressClassNames: ['nginx'] }],
      annotationSelector: { matchExpressions: [{ key: 'kubernetes.io/ingress.class', operator: 'Exists' }] },
    },
    '',
    'annotationSelector cannot select by kubernetes.io/ingress.class together with ingressClassNames',
  ),
  discovery(
    'the prefix of annotations has no slash',
    { annotationPrefix: 'dns.corp.internal' },
    '.annotationPrefix',
    'annotationPrefix must be a domain name with a slash at its end',
  ),
  discovery(
    'the prefix of annotations has capitals',
    { annotationPrefix: 'DNS.corp.internal/' },
    '.annotationPrefix',
    'annotationPrefix must be a domain name with a slash at its end',
  ),
  discovery(
    'the prefix of annotations cannot begin a key',
    { annotationPrefix: 'dns_names.corp.internal/' },
    '.annotationPrefix',
    'annotationPrefix must be a domain name with a slash at its end',
  ),
  discovery('a type of records does not exist', { recordTypes: ['LUA'] }, '.recordTypes[0]', notOneOf),
  discovery('the list of record types is empty', { recordTypes: [] }, '.recordTypes', /at least 1|>=1 items/),
  discovery(
    'an excluded domain ends in a dot',
    { excludedDomains: ['corp.internal.'] },
    '.excludedDomains[0]',
    'domain must be written without the trailing dot',
  ),
  discovery(
    'an excluded domain has capitals',
    { excludedDomains: ['Corp.internal'] },
    '.excludedDomains[0]',
    'domain must be in lower case',
  ),
  discovery(
    'an excluded domain is a wildcard',
    { excludedDomains: ['*.corp.internal'] },
    '.excludedDomains[0]',
    `domain ${domainForm}`,
  ),
  discovery(
    'an excluded domain has a long label',
    { excludedDomains: ['a'.repeat(64)] },
    '.excludedDomains[0]',
    'domain has a label of more than 63 characters',
  ),
  discovery(
    'a key of a selector is invalid',
    { selector: { matchExpressions: [{ key: '/a', operator: 'Exists' }] } },
    '.selector.matchExpressions[0].key',
    'key must be that of a label or annotation',
  ),
  discovery(
    'a label of a selector has a bad key',
    { selector: { matchLabels: { 'a/b/c': 'd' } } },
    '.selector.matchLabels',
    'matchLabels must have keys of labels',
  ),
  discovery(
    'a selector compares with a blank',
    { selector: { matchLabels: { a: 'b c' } } },
    '.selector.matchLabels',
    selectorValue,
  ),
  discovery(
    'In has no values',
    { selector: { matchExpressions: [{ key: 'a', operator: 'In' }] } },
    '.selector.matchExpressions[0]',
    valuesForm,
  ),
  discovery(
    'Exists has values',
    { annotationSelector: { matchExpressions: [{ key: 'a', operator: 'Exists', values: ['b'] }] } },
    '.annotationSelector.matchExpressions[0]',
    valuesForm,
  ),
  discovery(
    'a selector has too many labels',
    { selector: { matchLabels: Object.fromEntries(Array.from({ length: 17 }, (_, i) => [`a${i}`, 'b'])) } },
    '.selector.matchLabels',
    tooMany,
  ),
  discovery(
    'a target is an invalid address',
    { targets: { default: ['192.0.2.256'] } },
    '.targets.default[0]',
    targetForm,
  ),
  discovery(
    'a target has capitals',
    { targets: { override: ['LB.corp.internal'] } },
    '.targets.override[0]',
    targetForm,
  ),
  discovery(
    'a target has a long label',
    { targets: { default: [`${'a'.repeat(64)}.internal`] } },
    '.targets.default[0]',
    'a target has a label of more than 63 characters',
  ),
  discovery(
    'a target is an address with a zone',
    { targets: { override: ['fe80::1%eth0'] } },
    '.targets.override[0]',
    targetForm,
  ),
  onlyFunction(
    discovery(
      'a target is an invalid IPv6 address',
      { targets: { default: ['1:2:3'] } },
      '.targets.default[0]',
      targetForm,
    ),
  ),
  discovery(
    'the mode of host names does not exist',
    { targets: { hostNames: 'ALIAS' } },
    '.targets.hostNames',
    notOneOf,
  ),
  discovery('a network has no length', { targets: { networks: ['192.0.2.0'] } }, '.targets.networks[0]', networkForm),
  discovery(
    'a network of IPv4 is too narrow',
    { targets: { excludedNetworks: ['192.0.2.0/33'] } },
    '.targets.excludedNetworks[0]',
    networkForm,
  ),
  onlyFunction(
    discovery(
      'a network of IPv6 has too few groups',
      { targets: { networks: ['1:2:3/64'] } },
      '.targets.networks[0]',
      networkForm,
    ),
  ),
  discovery('a TTL is negative', { minimumTTL: -1 }, '.minimumTTL', />=0|greater than or equal to 0/),
  discovery(
    'the percentage of the delete guard is above 100',
    { deleteGuard: { percent: 101 } },
    '.deleteGuard.percent',
    /<=100|less than or equal to 100/,
  ),
  discovery(
    'the delete guard holds for days',
    { deleteGuard: { hold: '25h' } },
    '.deleteGuard.hold',
    'hold must be a duration of at least 1s and at most 24h',
  ),
  discovery(
    'the delete guard holds for no time',
    { deleteGuard: { hold: '0s' } },
    '.deleteGuard.hold',
    'hold must be a duration of at least 1s and at most 24h',
  ),
  discovery('the rule of shared hosts does not exist', { sharedHosts: 'LastWins' }, '.sharedHosts', notOneOf),
  discovery(
    'a tenant has no selector',
    { tenants: [{ names: ['*.a.internal'] }] },
    '.tenants[0].namespaceSelector',
    /required/i,
  ),
  discovery(
    'a tenant’s name ends in a dot',
    tenant(['*.a.internal.']),
    '.tenants[0].names[0]',
    patternForm('a name of a tenant'),
  ),
  discovery('a tenant has the name *', tenant(['*']), '.tenants[0].names[0]', patternForm('a name of a tenant')),
  discovery(
    'a wildcard is not the first label',
    tenant(['a.*.internal']),
    '.tenants[0].names[0]',
    patternForm('a name of a tenant'),
  ),
  discovery(
    'a label of a pattern is too long',
    tenant([`*.${'a'.repeat(64)}.internal`]),
    '.tenants[0].names[0]',
    patternForm('a name of a tenant'),
  ),
  discovery(
    'a network of a tenant is an address',
    { tenants: [{ namespaceSelector: {}, names: [], networks: ['192.0.2.7'] }] },
    '.tenants[0].networks[0]',
    'a network must be an address with the length of its prefix',
  ),
  discovery(
    'the claimants of Machines are none',
    { tenants: [{ namespaceSelector: {}, names: [], machines: 'SelectableByNone' }] },
    '.tenants[0].machines',
    notOneOf,
  ),
  discovery(
    'a check of claims is none',
    { tenants: [{ namespaceSelector: {}, names: [], checks: 'Ping' }] },
    '.tenants[0].checks',
    notOneOf,
  ),
  discovery(
    'a zone of a tenant ends with a dot',
    { sources: [{ kind: 'Zone' }], tenants: [{ namespaceSelector: {}, names: [], zones: ['team.internal.'] }] },
    '.tenants[0].zones[0]',
    patternForm('a zone of a tenant'),
  ),
  discovery(
    'a tenant has zones, but no Zone is read',
    { tenants: [{ namespaceSelector: {}, names: [], zones: ['team.internal'] }] },
    '',
    'tenants have zones, but no Zone is read: add kind: Zone to sources',
  ),
  {
    reason: 'two parts of a network overlap',
    spec: {
      zones: ['0/25.2.0.192.in-addr.arpa', '64/26.2.0.192.in-addr.arpa'].map((name) => ({
        name,
        nameServers: ['ns1.corp.internal'],
      })),
    },
    path: 'spec.zones[1].name',
    message: 'overlaps 0/25.2.0.192.in-addr.arpa',
    rejectedBy: 'function',
  },
  discovery(
    'an entry of allowAcrossNamespaces does not exist',
    { allowAcrossNamespaces: ['Everything'] },
    '.allowAcrossNamespaces[0]',
    notOneOf,
  ),
  discovery(
    'an entry of allowAcrossNamespaces is a duplicate',
    { allowAcrossNamespaces: ['Wildcards', 'Wildcards'] },
    '.allowAcrossNamespaces',
    /must not contain duplicates|duplicate/i,
  ),
  discovery(
    'a reserved name has capitals',
    { reservedNames: ['WWW.corp.internal'] },
    '.reservedNames[0]',
    patternForm('a reserved name'),
  ),
  discovery(
    'the quota of a namespace is 0',
    { maxNamesPerNamespace: 0 },
    '.maxNamesPerNamespace',
    />=1|greater than or equal to 1/,
  ),
  discovery(
    'the prefix of TXT records has a blank',
    { ownershipTXT: { prefix: 'ext dns' } },
    '.ownershipTXT.prefix',
    'prefix must consist of lower case letters',
  ),
  discovery(
    'the prefix of TXT records has another placeholder',
    { ownershipTXT: { prefix: '%{type}.' } },
    '.ownershipTXT.prefix',
    'prefix must consist of lower case letters',
  ),
  discovery(
    'a wildcard is replaced by two labels',
    { ownershipTXT: { wildcardReplacement: 'any.host' } },
    '.ownershipTXT.wildcardReplacement',
    'wildcardReplacement must be one label',
  ),
  discovery(
    'outsideZones of admission does not exist',
    { admission: { outsideZones: 'Refuse' } },
    '.admission.outsideZones',
    notOneOf,
  ),
  flag('--provider=pdns', '--provider is not allowed: leave it out: the agent is the provider'),
  flag('--registry=txt', '--registry is not allowed: the agent keeps the registry: use discovery.ownerID'),
  flag('--txt-owner-id=a', '--txt-owner-id is not allowed: the agent keeps the registry'),
  flag('--txt-cache-interval=1m', '--txt-cache-interval is not allowed: leave it out: the agent answers from memory'),
  flag('--policy=sync', '--policy is not allowed: use discovery.policy'),
  flag('--once', '--once is not allowed: leave it out'),
  flag('--dry-run', '--dry-run is not allowed: use discovery.policy: Preview'),
  flag('--no-dry-run', '--dry-run is not allowed: use discovery.policy: Preview'),
  flag('--domain-filter=a.internal', '--domain-filter is not allowed: the zones are the filter'),
  flag('--nat64-networks=64:ff9b::/96', '--nat64-networks is not allowed: declare A records in zones'),
  flag('--provider-cache-time=1m', '--provider-cache-time is not allowed: leave it out'),
  flag('--source=ingress', '--source is not allowed: use discovery.sources'),
  flag(
    '--webhook-provider-url=http://a',
    '--webhook-provider-url is not allowed: leave it out: the agent is the provider',
  ),
  flag('--events', '--events is not allowed: use discovery.interval'),
  flag('--kubeconfig=/etc/a', '--kubeconfig is not allowed: extraArgs takes only'),
  flag('--log-levels=debug', '--log-levels is not allowed: extraArgs takes only'),
  flag('-h', 'not a flag: "-h"'),
  flag('--log-level debug', 'not a flag: "--log-level debug"'),
  flag('--log-level=loud', 'not a value of --log-level: "loud" \\(such as --log-level=debug\\)'),
  flag('--log-level', '--log-level needs a value, such as --log-level=debug'),
  flag('--no-log-level=debug', '--log-level needs a value'),
  flag('--publish-host-ip=true', '--publish-host-ip has no value: write --publish-host-ip or --no-publish-host-ip'),
  discovery(
    'a flag is given twice',
    { extraArgs: ['--log-level=debug', '--log-level=info'] },
    '.extraArgs',
    /--log-level is given twice|extraArgs repeats a flag: only/,
  ),
  discovery(
    'a flag is given and negated',
    { extraArgs: ['--publish-host-ip', '--no-publish-host-ip'] },
    '.extraArgs',
    /--publish-host-ip is given twice|extraArgs repeats a flag: only/,
  ),

  service('the type does not exist', { type: 'ExternalName' }, '.type', notOneOf),
  service(
    'the load balancer’s address is a name',
    { type: 'LoadBalancer', loadBalancerIP: 'dns.internal' },
    '.loadBalancerIP',
    `loadBalancerIP ${addressForm}`,
  ),
  service(
    'the load balancer’s address is a network',
    { type: 'LoadBalancer', loadBalancerIP: '192.0.2.0/24' },
    '.loadBalancerIP',
    `loadBalancerIP ${addressForm}`,
  ),
  service(
    'the cluster address is out of range',
    { clusterIP: '192.0.2.256' },
    '.clusterIP',
    `clusterIP ${addressForm}`,
  ),
  service('the cluster address is None', { clusterIP: 'None' }, '.clusterIP', `clusterIP ${addressForm}`),
  service(
    'a published address is truncated',
    { addresses: ['192.0.2.1', '192.0.2'] },
    '.addresses[1]',
    `address ${addressForm}`,
  ),
  service('a published address has a port', { addresses: ['192.0.2.1:53'] }, '.addresses[0]', `address ${addressForm}`),
  {
    ...service('a published address has too few groups', { addresses: ['1:2:3'] }, '.addresses[0]', ''),
    message: `address ${addressForm}`,
    rejectedBy: 'function',
  },
  service(
    'a load balancer’s address is given to another type',
    { loadBalancerIP: '192.0.2.7' },
    '',
    'loadBalancerIP needs type: LoadBalancer',
  ),
  service(
    'a load balancer’s class is given to another type',
    { type: 'NodePort', loadBalancerClass: 'example.internal/lb' },
    '',
    'loadBalancerClass needs type: LoadBalancer',
  ),
  service(
    'clients of a load balancer are given to another type',
    { type: 'NodePort', loadBalancerSourceRanges: ['192.0.2.0/24'] },
    '',
    'loadBalancerSourceRanges needs type: LoadBalancer',
  ),
  service(
    'clients of a load balancer are given to another type in an annotation',
    { annotations: { 'service.beta.kubernetes.io/load-balancer-source-ranges': '192.0.2.0/24' } },
    '',
    'the annotation service.beta.kubernetes.io/load-balancer-source-ranges needs type: LoadBalancer',
  ),
  service(
    'clients of a load balancer are an address',
    { type: 'LoadBalancer', loadBalancerSourceRanges: ['192.0.2.1'] },
    '.loadBalancerSourceRanges[0]',
    networkForm,
  ),
  onlyFunction(
    service(
      'the class of a load balancer has a space',
      { type: 'LoadBalancer', loadBalancerClass: 'my balancer' },
      '.loadBalancerClass',
      'must be the name of a class, such as service.k8s.aws/nlb',
    ),
  ),
  service(
    'traffic from outside the cluster has a policy without a way in',
    { externalTrafficPolicy: 'Local' },
    '',
    'externalTrafficPolicy needs type: NodePort or LoadBalancer',
  ),
  service(
    'the traffic policy does not exist',
    { type: 'NodePort', externalTrafficPolicy: 'local' },
    '.externalTrafficPolicy',
    notOneOf,
  ),
  service(
    'a node port is given to a ClusterIP',
    { nodePort: 30053 },
    '',
    'nodePort needs type: NodePort or LoadBalancer',
  ),
  service(
    'the node port has more than 16 bits',
    { type: 'NodePort', nodePort: 65536 },
    '.nodePort',
    /<=65535|less than or equal to 65535/,
  ),
  service('there are no protocols', { protocols: [] }, '.protocols', /at least 1|>=1 items/),
  service('the protocol does not exist', { protocols: ['SCTP'] }, '.protocols[0]', notOneOf),
  service('a protocol is there twice', { protocols: ['UDP', 'UDP'] }, '.protocols', twice),
  service('the IP family does not exist', { ipFamilies: ['ipv4'] }, '.ipFamilies[0]', notOneOf),
  service('the policy of IP families does not exist', { ipFamilyPolicy: 'DualStack' }, '.ipFamilyPolicy', notOneOf),
  service(
    'a single stack has both IP families',
    { ipFamilies: ['IPv6', 'IPv4'], ipFamilyPolicy: 'SingleStack' },
    '',
    'ipFamilies must have one family with ipFamilyPolicy: SingleStack',
  ),
  service(
    'a Service with addresses of both IP families has one',
    { ipFamilies: ['IPv6'] },
    '',
    'ipFamilies must have one family with ipFamilyPolicy: SingleStack',
  ),
  service(
    'the cluster address is of another IP family',
    { ipFamilies: ['IPv6'], ipFamilyPolicy: 'SingleStack', clusterIP: '198.18.0.53' },
    '',
    'clusterIP must be of the first of ipFamilies',
  ),
  service(
    'labels has a label of the selectors',
    { labels: { 'app.kubernetes.io/name': 'x' } },
    '.labels',
    'labels must not use app.kubernetes.io/*',
  ),
  ...(
    [
      ['Lan', 'the name of a Service must begin with a letter'],
      ['2', 'the name of a Service must begin with a letter'],
      ['lan.corp', 'the name of a Service must begin with a letter'],
      ['lan-', 'the name of a Service must begin with a letter'],
      ['', /at least 1|>=1 characters/],
      ['a'.repeat(16), tooLong],
      ...['service', 'status', 'resolver'].map(
        (name) => [name, 'the name of a Service must not be service, status, resolver'] as const,
      ),
    ] as const
  ).map(([name, message]) =>
    additional(`an additional Service has the name ${JSON.stringify(name)}`, [{ name }], '[0].name', message),
  ),
  additional('an additional Service has no name', [{}], '[0].name', /required/i),
  additional(
    'two additional Services have one name',
    [{ name: 'lan' }, { name: 'lan' }],
    '',
    /additionalServices must have different names|Duplicate value/,
  ),
  additional(
    'there are more additional Services than eight',
    Array.from({ length: 9 }, (_, index) => ({ name: `s${index}` })),
    '',
    tooMany,
  ),
  additional(
    'an additional Service breaks a rule of every Service',
    [{ name: 'lan', nodePort: 30053 }],
    '[0]',
    'nodePort needs type: NodePort or LoadBalancer',
  ),
  spec(
    'no Service has the advertised name',
    { additionalServices: [{ name: 'lan' }], advertise: 'wan' },
    'advertise must be service or the name of one of additionalServices',
  ),
  spec(
    'the nodes are advertised',
    { additionalServices: [{ name: 'nodes', type: 'NodePort' }], advertise: 'nodes' },
    'advertise names a Service of type NodePort',
  ),
  spec(
    'two replicas request one address',
    {
      service: { type: 'LoadBalancer' },
      replicaServices: { overrides: [{ loadBalancerIP: '192.0.2.54' }, { loadBalancerIP: '192.0.2.54' }] },
    },
    'replicaServices.overrides has a loadBalancerIP twice',
  ),
  ...[{}, { additionalServices: [{ name: 'lan', type: 'LoadBalancer' }] }].map((services) =>
    spec(
      'a replica requests an address, but the advertised Service is no load balancer',
      {
        service: {},
        advertise: 'service',
        ...services,
        replicaServices: { overrides: [{ loadBalancerIP: '192.0.2.54' }] },
      },
      'replicaServices.overrides has a loadBalancerIP, but the advertised Service is no load balancer',
    ),
  ),
  spec(
    'two additional Services have one node port',
    { additionalServices: ['a', 'b'].map((name) => ({ name, type: 'NodePort', nodePort: 30053 })) },
    'two Services have the same nodePort',
  ),
  spec(
    'an additional Service has the node port of the own one',
    {
      service: { type: 'NodePort', nodePort: 30053 },
      additionalServices: [{ name: 'a', type: 'LoadBalancer', nodePort: 30053 }],
    },
    'two Services have the same nodePort',
  ),
  spec(
    'two Services have one cluster address',
    { service: { clusterIP: '198.18.0.53' }, additionalServices: [{ name: 'a', clusterIP: '198.18.0.53' }] },
    'two Services have the same clusterIP',
  ),
  service(
    'tailscale has type: NodePort',
    { type: 'NodePort', tailscale: {} },
    '',
    'tailscale needs type LoadBalancer: leave type out',
  ),
  service(
    'tailscale has another loadBalancerClass',
    { tailscale: {}, loadBalancerClass: 'example.internal/lb' },
    '',
    'tailscale sets loadBalancerClass itself: leave it out',
  ),
  service(
    'the hostname in the tailnet has a dot',
    { tailscale: { hostname: 'dns.corp' } },
    '.tailscale.hostname',
    `hostname ${labelForm}`,
  ),
  service(
    'a tag is written without its prefix',
    { tailscale: { tags: ['dns'] } },
    '.tailscale.tags[0]',
    'tags must look like tag:dns',
  ),
  service(
    'a proxy has a class beside its group',
    { tailscale: { proxyClass: 'small', proxyGroup: 'dns' } },
    '.tailscale',
    'proxyClass is for a proxy of its own: set that of the pods of a group in the ProxyGroup',
  ),
  service(
    'the split DNS has no credentials',
    { tailscale: { splitDNS: {} } },
    '.tailscale.splitDNS.credentials',
    /is required|required value/i,
  ),
  service(
    'the name of the tailnet has a slash',
    { tailscale: { splitDNS: { ...oauthClient, tailnet: 'a/b' } } },
    '.tailscale.splitDNS.tailnet',
    'tailnet must be the name of a tailnet, such as example.com, or -',
  ),
  ...[
    'http://api.example.com',
    'http://192.0.2.1',
    'http://172.32.0.1',
    'http://10.example.com',
    'http://10.0.0.1@example.com',
    'https://user:password@example.com',
    'https://example.com/?x=1',
    'https://example.com/api v2',
    'ftp://example.com',
    'example.com',
  ].map((apiURL) =>
    service(
      `the admin API is at ${apiURL}`,
      { tailscale: { splitDNS: { ...oauthClient, apiURL } } },
      '.tailscale.splitDNS.apiURL',
      'apiURL must be an https URL, such as https://api.tailscale.com; plain http is for private addresses only, as the credentials could be read on the way',
    ),
  ),
  spec(
    'two Services keep the split DNS',
    {
      service: { tailscale: { splitDNS: oauthClient } },
      additionalServices: [{ name: 'b', tailscale: { splitDNS: oauthClient } }],
    },
    'two Services have tailscale.splitDNS, and a zone has one entry: leave it out of one',
  ),
  service('an annotation is a number', { annotations: { a: 1 } }, '.annotations.a', wrongType),

  field('the size is invalid', 'spec.storage.size', 'large', quantityForm),
  field('the size is zero', 'spec.storage.size', '0', quantityForm),
  field('the size is negative', 'spec.storage.size', '-1Gi', quantityForm),
  field('the size has an unknown unit', 'spec.storage.size', '1GB', quantityForm),
  field('retain is a text', 'spec.storage.retain', 'yes', wrongType),
  field('the type of storage does not exist', 'spec.storage.type', 'emptyDir', notOneOf),
  field(
    'storage that is ephemeral has a class',
    'spec.storage',
    { type: 'Ephemeral', storageClassName: 'fast' },
    'storageClassName needs type: Volume, because an emptyDir has no StorageClass: leave it out',
  ),
  field(
    'storage that is ephemeral is retained',
    'spec.storage',
    { type: 'Ephemeral', retain: true },
    'retain needs type: Volume, because an emptyDir is deleted with its pod: leave it out',
  ),
  securityContext('the user is root', { runAsUser: 0, fsGroup: 953 }, '.runAsUser', />=1|greater than or equal to 1/),
  securityContext('the group is root', { runAsGroup: 0 }, '.runAsGroup', />=1|greater than or equal to 1/),
  securityContext(
    'the group of the volume has more than 31 bits',
    { fsGroup: 2147483648 },
    '.fsGroup',
    /<=2147483647|less than or equal to 2147483647/,
  ),
  securityContext('the user is a name', { runAsUser: 'pdns', fsGroup: 953 }, '.runAsUser', wrongType),
  securityContext('a user has no group for its volume', { runAsUser: 1234 }, '', 'runAsUser needs fsGroup: '),
  field('an image has no name', 'spec.images.agent', '', /at least 1|>=1 characters/),
  field('the pull policy does not exist', 'spec.images.pullPolicy', 'always', notOneOf),
  {
    reason: 'a pull secret is a bare name',
    spec: { zones, images: { pullSecrets: ['mirror'] } },
    path: 'spec.images.pullSecrets[0]',
    message: wrongType,
  },
  {
    ...field('an amount of memory is none', 'spec.resources.agent.limits.memory', 'much', ''),
    message: 'must be a quantity, such as 100m or 128Mi',
    rejectedBy: 'function',
  },
  field('an amount of cpu is a fraction', 'spec.resources.powerdns.requests.cpu', 0.5, wrongType),
  field(
    'podLabels has a label of the selectors',
    'spec.podLabels',
    { 'app.kubernetes.io/name': 'x' },
    'podLabels must not',
  ),
  ...(
    ['podLabels', 'scheduling.nodeSelector', 'podAnnotations', 'service.annotations', 'service.labels'] as const
  ).flatMap((map) =>
    [
      '',
      'a b',
      '-a',
      'a-',
      'a/b/c',
      '/a',
      'a/',
      'Example.com_/a',
      `${'a'.repeat(64)}`,
      `${'a.'.repeat(127)}/b`,
      'ä',
    ].map((key) =>
      onlyFunction(
        field(
          `${map} has the key ${JSON.stringify(key.slice(0, 20))}`,
          `spec.${map}`,
          { [key]: 'x' },
          'not the key of a',
        ),
      ),
    ),
  ),
  ...(['podLabels', 'scheduling.nodeSelector'] as const).flatMap((map) =>
    ['a b', '-a', 'a-', 'a/b', `${'a'.repeat(64)}`, 'true\n'].map((value) =>
      onlyFunction(
        field(
          `${map} has the value ${JSON.stringify(value.slice(0, 20))}`,
          `spec.${map}`,
          { team: value },
          /not the value of a label|[tT]oo (big|long)/,
        ),
      ),
    ),
  ),
  onlyFunction(
    field(
      'annotations are longer than an object allows',
      'spec.podAnnotations',
      { a: 'x'.repeat(256 * 1024) },
      'annotations of more than 262144 bytes together',
    ),
  ),
  field(
    'a label of monitoring is reserved for the selectors',
    'spec.monitoring.labels',
    { 'app.kubernetes.io/part-of': 'x' },
    'labels must not use app.kubernetes.io/*',
  ),
  field(
    'a label of monitoring has an invalid key',
    'spec.monitoring.labels',
    { 'a b': 'x' },
    'labels must have keys of labels',
  ),
  field(
    'a label of the namespaces of Prometheus has an invalid key',
    'spec.monitoring.namespaceSelector.matchLabels',
    { 'a b': 'x' },
    'matchLabels must have keys of labels',
  ),
  peer('is empty', {}, '', oneSort),
  peer('has two selectors', { ipBlock: { cidr: '192.0.2.0/24' }, podSelector: {} }, '', oneSort),
  peer('is an address', { ipBlock: { cidr: '192.0.2.7' } }, '.ipBlock.cidr', networkForm),
  peer('is a name', { ipBlock: { cidr: 'lan' } }, '.ipBlock.cidr', networkForm),
  peer('has a prefix that is too long', { ipBlock: { cidr: '192.0.2.0/33' } }, '.ipBlock.cidr', networkForm),
  peer('excludes a name', { ipBlock: { cidr: '::/0', except: ['lan'] } }, '.ipBlock.except[0]', networkForm),
  ...['192.0.2.0/24', '192.0.0.0/16', '198.51.100.0/25', '2001:db8::/48'].map((except) =>
    onlyFunction(
      peer(`leaves out ${except}`, { ipBlock: { cidr: '192.0.2.0/24', except: [except] } }, '.ipBlock', exceptRule),
    ),
  ),
  peer('has an invalid label', { podSelector: { matchLabels: { 'a b': 'x' } } }, '.podSelector.matchLabels', ''),
  field('there are too many peers', 'spec.statusPage.from', Array(17).fill({ podSelector: {} }), tooMany),
  field(
    'the interval is longer than the staleness of Prometheus',
    'spec.monitoring.interval',
    '2m',
    'interval must be a duration of',
  ),
  field('enabled is a text', 'spec.monitoring.enabled', 'yes', wrongType),
  ...['192.0.2.0', '192.0.2.0/33', '192.0.2.256/24', 'lan', '::1'].map((network) =>
    resolver(
      `clients in ${network}`,
      { allowFrom: [network] },
      '.allowFrom[0]',
      'a network must be an address with the length of its prefix, such as 192.0.2.0/24 or 2001:db8::/32',
    ),
  ),
  resolver('a resolver for nobody', { allowFrom: [] }, '.allowFrom', /too small|at least 1/i),
  resolver('the same clients twice', { allowFrom: ['10.0.0.0/8', '10.0.0.0/8'] }, '.allowFrom', twice),
  ...['0.0.0.0/0', '::/0'].map((network) =>
    resolver(
      `an open resolver, for ${network}`,
      { allowFrom: ['10.0.0.0/8', network], ...forwarding },
      '',
      'forward with an allowFrom of everybody is an open resolver, which attacks others on behalf of strangers: list',
    ),
  ),
  ...[
    'dns.example.com',
    '192.0.2.1:0',
    '192.0.2.1:',
    '192.0.2.256',
    '[192.0.2.1]:53',
    '[2001:db8::1',
    '1.1.1.1#53',
  ].map((address) => upstream(`the upstream ${address}`, { address }, '.address', upstreamForm)),
  ...['192.0.2.1:65536', '2001:db8:::1'].map((address) =>
    onlyFunction(upstream(`the upstream ${address}`, { address }, '.address', upstreamForm)),
  ),
  upstream(
    'a name in a certificate without one',
    { address: '192.0.2.1', tlsName: 'dns.example.com' },
    '',
    'tlsName needs',
  ),
  upstream(
    'a path without a URL',
    { address: '192.0.2.1', protocol: 'DoT', path: '/q' },
    '',
    'path needs protocol: DoH',
  ),
  upstream(
    'a path with a query',
    { address: '192.0.2.1', protocol: 'DoH', path: '/q?dns=' },
    '.path',
    'path must be the path of a URL, such as /dns-query',
  ),
  upstream('an unknown protocol', { address: '192.0.2.1', protocol: 'DoQ' }, '.protocol', notOneOf),
  resolver('a resolver that forwards to nobody', { forward: {} }, '.forward', 'forward needs upstreams, zones or both'),
  resolver(
    'a forwarded zone twice',
    { forward: { zones: [1, 2].map(() => ({ name: 'ad.internal', upstreams: [{ address: '192.0.2.1' }] })) } },
    '.forward.zones',
    'forward.zones must have different names',
  ),
  resolver(
    'a forwarded zone without servers',
    { forward: { zones: [{ name: 'ad.internal', upstreams: [] }] } },
    '.forward.zones[0].upstreams',
    /too small|at least 1/i,
  ),
  spec(
    'an own zone that is forwarded',
    { resolver: { forward: { zones: [{ name: 'corp.internal', upstreams: [{ address: '192.0.2.1' }] }] } } },
    'resolver.forward.zones has one of zones, which this server answers itself: remove it from one of them',
  ),
  ...[
    { service: { type: 'NodePort', externalTrafficPolicy: 'Cluster' } },
    { service: { type: 'LoadBalancer', externalTrafficPolicy: 'Cluster' } },
    { additionalServices: [{ name: 'lan', type: 'LoadBalancer', externalTrafficPolicy: 'Cluster' }] },
  ].map((fields) =>
    spec(
      'clients that all have the address of a node',
      { ...fields, resolver: forwarding },
      'resolver.forward needs the addresses of clients, but with externalTrafficPolicy: Cluster each has that of a node',
    ),
  ),
  resolver(
    'a burst below the rate',
    { rateLimit: { queriesPerSecond: 10, burst: 5 } },
    '.rateLimit',
    'burst must be at least',
  ),
  resolver(
    'a certificate without a name',
    { doT: { certificate: { secretRef: {} } } },
    '.doT.certificate.secretRef.name',
    /required/i,
  ),
  resolver('DNS over TLS on the port of DNS', { doT: { ...tls, port: 53 } }, '', 'port 53 is that of DNS itself'),
  resolver('one port twice', { doT: { ...tls, port: 443 }, doH: tls }, '', 'doT and doH have the same port'),
  resolver('an unknown type', { blockedTypes: ['AAAAA'] }, '.blockedTypes[0]', notOneOf),
  resolver('a share of nothing', { queryLog: { percent: 0 } }, '.queryLog.percent', /too small|greater than or equal/i),
  resolver(
    'stale answers for ever',
    { forward: { ...forwarding.forward, cache: { serveStale: '100h' } } },
    '.forward.cache.serveStale',
    'serveStale must be a duration of at least 1s and at most 72h',
  ),
  views('a view of nothing', [{ name: 'a', from: ['10.0.0.0/8'] }], '[0]', 'a view has either internalDNS or zones'),
  views(
    'a view of both',
    [{ name: 'a', from: ['10.0.0.0/8'], internalDNS: 'b', zones: ['corp.internal'] }],
    '[0]',
    'a view has either internalDNS or zones',
  ),
  views(
    'two views of one name',
    ['10.0.0.0/8', '192.0.2.0/24'].map((network) => ({ name: 'a', from: [network], internalDNS: 'b' })),
    '',
    'views must have different names',
  ),
  ...[
    ['the same clients', '10.0.0.0/8'],
    ['some of the clients', '10.1.0.0/16'],
  ].map(([what, inner]) =>
    onlyFunction(
      views(
        `a view of ${what} of an earlier one`,
        [
          { name: 'all', from: ['192.0.2.0/24', '10.0.0.0/8'], internalDNS: 'b' },
          { name: 'some', from: [inner], zones: ['corp.internal'] },
        ],
        '[1].from',
        `${inner} is within 10.0.0.0/8 of view all, which comes first and answers: remove it, or move this view`,
      ),
    ),
  ),
  // The API server refuses it under that name, too.
  onlyFunction(
    spec(
      'a view that leads to itself',
      { resolver: { views: [{ name: 'a', from: ['10.0.0.0/8'], internalDNS: 'corp' }] } },
      'resolver.views has this InternalDNS itself as internalDNS: name another, or list zones instead',
    ),
  ),
  spec(
    'a view of a zone that is not there',
    { resolver: { views: [{ name: 'a', from: ['10.0.0.0/8'], zones: ['other.internal'] }] } },
    'resolver.views has a zone that is none of zones: add it there, or remove it from the view',
  ),
];

/** Refused names of an InternalDNS. */
export const badNames: readonly { reason: string; name: string }[] = [
  { reason: 'it begins with a digit', name: '1corp' },
  { reason: 'it has a dot', name: 'corp.internal' },
  { reason: 'it has 41 characters', name: 'a'.repeat(41) },
];

const loadBalancer = (fields: Spec = {}): Spec => ({ zones, service: { type: 'LoadBalancer', ...fields } });
const firstFamily = 'the first of ipFamilies is immutable: it cannot be set, changed or removed later';
const isFixed = 'is immutable: it cannot be set, changed or removed later';

const withDNSSEC = (dnssec: Spec): Spec => ({ zones: [{ name: 'corp.internal', dnssec }] });
const throughUnsigning =
  'dnssec.mode can change from Signed to "Off" only through Unsigning, or validating resolvers lose the zone: set it to Unsigning, and see ZonesReady for what to remove first';
const keepsAlgorithm =
  'dnssec.algorithm cannot change while the zone has a key: set dnssec.mode to Unsigning, then to "Off", then sign again';

const spread = { replicas: 2, additionalServices: [{ name: 'lan', type: 'LoadBalancer' }] };

/** Edits that only an API server can refuse, as it knows the old object. */
export const badEdits: readonly BadEdit[] = [
  {
    reason: 'another Service is advertised while replicas have their own',
    before: { zones, ...spread },
    after: { zones, ...spread, advertise: 'lan' },
    message:
      'advertise cannot change while replicas have Services with the settings of the advertised one: set replicaServices.mode to None first',
  },
  {
    reason: 'the namespace changes',
    before: { zones },
    after: { zones, namespace: 'elsewhere' },
    message: 'namespace is immutable',
  },
  {
    reason: 'the storage shrinks',
    before: { zones, storage: { size: '2Gi' } },
    after: { zones, storage: { size: '1Gi' } },
    message: 'size may grow, not shrink',
  },
  {
    reason: 'the storage shrinks to its default',
    before: { zones, storage: { size: '2Gi' } },
    after: { zones },
    message: 'size may grow, not shrink',
  },
  {
    reason: 'the storage shrinks into another unit',
    before: { zones, storage: { size: '1Gi' } },
    after: { zones, storage: { size: '1000M' } },
    message: 'size may grow, not shrink',
  },
  {
    reason: 'the storage becomes ephemeral',
    before: { zones },
    after: { zones, storage: { type: 'Ephemeral' } },
    message: 'type is immutable',
  },
  {
    reason: 'the storage is ephemeral no more',
    before: { zones, storage: { type: 'Ephemeral' } },
    after: { zones },
    message: 'type is immutable',
  },
  {
    reason: 'a storage class is set later',
    before: { zones },
    after: { zones, storage: { storageClassName: 'fast' } },
    message: `storageClassName ${isFixed}`,
  },
  {
    reason: 'the storage class changes',
    before: { zones, storage: { storageClassName: 'slow' } },
    after: { zones, storage: { storageClassName: 'fast' } },
    message: `storageClassName ${isFixed}`,
  },
  {
    reason: 'the storage class is removed',
    before: { zones, storage: { storageClassName: 'slow' } },
    after: { zones, storage: { storageClassName: null } },
    message: `storageClassName ${isFixed}`,
  },
  {
    reason: 'a cluster address is set later',
    before: { zones },
    after: { zones, service: { clusterIP: '192.0.2.10' } },
    message: `clusterIP ${isFixed}`,
  },
  {
    reason: 'the class of the load balancer changes',
    before: loadBalancer({ loadBalancerClass: 'example.internal/a' }),
    after: loadBalancer({ loadBalancerClass: 'example.internal/b' }),
    message: `loadBalancerClass ${isFixed} while the type stays LoadBalancer; tailscale likewise`,
  },
  {
    reason: 'the class of the load balancer is removed',
    before: loadBalancer({ loadBalancerClass: 'example.internal/a' }),
    after: loadBalancer({ loadBalancerClass: null }),
    message: `loadBalancerClass ${isFixed} while the type stays LoadBalancer; tailscale likewise`,
  },
  {
    reason: 'the primary IP family changes',
    before: { zones, service: { ipFamilies: ['IPv4', 'IPv6'] } },
    after: { zones, service: { ipFamilies: ['IPv6', 'IPv4'] } },
    message: firstFamily,
  },
  {
    reason: 'the primary IP family is set later',
    before: { zones },
    after: { zones, service: { ipFamilies: ['IPv6', 'IPv4'] } },
    message: firstFamily,
  },
  {
    reason: 'the cluster address of an additional Service changes',
    before: { zones, additionalServices: [{ name: 'lan', clusterIP: '192.0.2.10' }] },
    after: { zones, additionalServices: [{ name: 'lan', clusterIP: '192.0.2.11' }] },
    message: `clusterIP ${isFixed}`,
  },
  {
    reason: 'a load balancer moves into a tailnet',
    before: loadBalancer(),
    after: loadBalancer({ tailscale: {} }),
    message: `loadBalancerClass ${isFixed} while the type stays LoadBalancer; tailscale likewise`,
  },
  {
    reason: 'a signed zone is "Off" at once',
    before: withDNSSEC({ mode: 'Signed' }),
    after: withDNSSEC({ mode: 'Off' }),
    message: throughUnsigning,
  },
  {
    reason: 'a signed zone’s mode falls back to its default',
    before: withDNSSEC({ mode: 'Signed', nsec3: true }),
    after: withDNSSEC({ nsec3: true }),
    message: throughUnsigning,
  },
  {
    reason: 'dnssec of a signed zone is removed',
    before: withDNSSEC({ mode: 'Signed' }),
    after: { zones },
    message: throughUnsigning,
  },
  {
    reason: 'the algorithm of a signed zone changes',
    before: withDNSSEC({ mode: 'Signed', algorithm: 'ED25519' }),
    after: withDNSSEC({ mode: 'Signed', algorithm: 'ECDSA256' }),
    message: keepsAlgorithm,
  },
  {
    reason: 'the algorithm of a signed zone falls back to its default',
    before: withDNSSEC({ mode: 'Signed', algorithm: 'ED25519' }),
    after: withDNSSEC({ mode: 'Signed' }),
    message: keepsAlgorithm,
  },
  {
    reason: 'the algorithm changes while a zone is being unsigned',
    before: withDNSSEC({ mode: 'Unsigning' }),
    after: withDNSSEC({ mode: 'Signed', algorithm: 'ECDSA384' }),
    message: keepsAlgorithm,
  },
];

/** Similar edits that are accepted. */
export const goodEdits: readonly Omit<BadEdit, 'message'>[] = [
  {
    reason: 'another Service is advertised while replicas have none of their own',
    before: { zones, ...spread },
    after: { zones, ...spread, advertise: 'lan', replicaServices: { mode: 'None' } },
  },
  {
    reason: 'another Service is advertised with the second replica',
    before: { zones, ...spread, replicas: 1 },
    after: {
      zones,
      ...spread,
      advertise: 'lan',
      replicaServices: { overrides: [{}, { loadBalancerIP: '192.0.2.55' }] },
    },
  },
  {
    reason: 'a zone is signed later, with another algorithm than before',
    before: withDNSSEC({ mode: 'Off', algorithm: 'ECDSA384' }),
    after: withDNSSEC({ mode: 'Signed', algorithm: 'ED25519' }),
  },
  {
    reason: 'a zone is to be unsigned',
    before: withDNSSEC({ mode: 'Signed' }),
    after: withDNSSEC({ mode: 'Unsigning' }),
  },
  {
    reason: 'an unsigning zone is signed again',
    before: withDNSSEC({ mode: 'Unsigning' }),
    after: withDNSSEC({ mode: 'Signed' }),
  },
  { reason: 'a zone is unsigned', before: withDNSSEC({ mode: 'Unsigning' }), after: { zones } },
  {
    reason: 'a signed zone changes NSEC3',
    before: withDNSSEC({ mode: 'Signed' }),
    after: withDNSSEC({ mode: 'Signed', nsec3: true }),
  },
  {
    reason: 'a signed zone is removed',
    before: withDNSSEC({ mode: 'Signed' }),
    after: { zones: [{ name: 'other.internal' }] },
  },
  {
    reason: 'ephemeral storage grows',
    before: { zones, storage: { type: 'Ephemeral', size: '256Mi' } },
    after: { zones, storage: { type: 'Ephemeral' } },
  },
  {
    reason: 'the storage grows into another unit',
    before: { zones },
    after: { zones, storage: { size: '2G' } },
  },
  {
    reason: 'a Service gets addresses of a second IP family',
    before: { zones, service: { ipFamilies: ['IPv6'], ipFamilyPolicy: 'SingleStack' } },
    after: { zones, service: { ipFamilies: ['IPv6', 'IPv4'], ipFamilyPolicy: 'PreferDualStack' } },
  },
  {
    reason: 'additional Services come, change their type and go',
    before: { zones, additionalServices: [{ name: 'a', type: 'NodePort' }, { name: 'b' }] },
    after: {
      zones,
      additionalServices: [
        { name: 'a', tailscale: {} },
        { name: 'c', clusterIP: '192.0.2.10' },
      ],
    },
  },
  {
    reason: 'a Service becomes a load balancer with a class',
    before: { zones },
    after: loadBalancer({ loadBalancerClass: 'example.internal/a' }),
  },
  {
    reason: 'a load balancer becomes a ClusterIP Service',
    before: loadBalancer({ loadBalancerClass: 'example.internal/a' }),
    after: { zones, service: { type: 'ClusterIP' } },
  },
  {
    reason: 'zones are added and removed',
    before: { zones },
    after: { zones: [{ name: 'other.internal' }, { name: 'third.internal' }] },
  },
];

const oddZone = (name: string): Spec => ({ zones: [{ name }] });

const oddRecord = (record: Spec): Spec => ({ zones: [{ name: 'corp.internal', records: [record] }] });

/** Specs that look wrong but are accepted; `warning` is the message of ZonesReady. */
export const oddSpecs: readonly { reason: string; spec: Spec; warning?: string }[] = [
  {
    reason: 'a zone under .local',
    spec: oddZone('corp.local'),
    warning:
      'corp.local is under .local, which most machines resolve by multicast DNS only (RFC 6762): prefer a name under .internal',
  },
  {
    reason: '.local itself',
    spec: oddZone('local'),
    warning:
      'local is under .local, which most machines resolve by multicast DNS only (RFC 6762): prefer a name under .internal',
  },
  { reason: 'a zone that only ends like .local', spec: oddZone('mylocal') },
  { reason: 'a reverse zone', spec: oddZone('2.0.192.in-addr.arpa') },
  { reason: 'a reverse zone of a part of a network (RFC 2317)', spec: oddZone('0-25.2.0.192.in-addr.arpa') },
  {
    reason: 'a part of a /24 with a slash (RFC 2317)',
    spec: { zones: [{ name: '64/26.2.0.192.in-addr.arpa', nameServers: ['ns1.corp.internal'] }] },
  },
  {
    reason: 'a single address of a network',
    spec: { zones: [{ name: '255/32.2.0.192.in-addr.arpa', nameServers: ['ns1.corp.internal'] }] },
  },
  { reason: 'a reverse zone of IPv6', spec: oddZone('8.b.d.0.1.0.0.2.ip6.arpa') },
  { reason: 'a zone of one label', spec: oddZone('corp') },
  {
    reason: 'a label with an underscore',
    spec: { zones: [{ name: 'corp.internal' }, { name: '_msdcs.corp.internal', nameServers: ['ns1.corp.internal'] }] },
  },
  {
    reason: 'absolute names of a zone of one label',
    spec: {
      zones: [{ name: 'corp', nameServers: ['ns1.corp'], soa: { mname: 'ns1.corp.', rname: 'dns\\.admin.corp' } }],
    },
  },
  {
    reason: 'a mailbox in a domain of one label',
    spec: { zones: [{ name: 'corp', soa: { rname: 'hostmaster@corp' } }] },
  },
  { reason: 'a label of digits', spec: oddZone('4711.internal') },
  { reason: 'a label of 63 characters', spec: oddZone(`${'a'.repeat(63)}.internal`) },
  { reason: 'an internationalised zone', spec: oddZone('xn--bcher-kva.internal') },
  { reason: 'a zone within another', spec: { zones: [{ name: 'internal' }, { name: 'corp.internal' }] } },
  {
    reason: 'literal braces, written as escapes',
    spec: oddRecord({ name: 'www', type: 'TXT', values: ['\\123\\123x}}'] }),
  },
  {
    reason: 'an address of the DNS Service in a check',
    spec: oddRecord({ name: 'dns', type: 'A', values: ['{{service.address}}'], check: { port: 53 } }),
  },
  {
    reason: 'a checked name that may lose every address, where nothing is signed',
    spec: {
      zones: [
        {
          name: 'corp.internal',
          dnssec: { mode: 'Off' },
          records: [{ name: 'www', type: 'A', values: ['192.0.2.1'], check: { port: 80 }, whenAllDown: 'None' }],
        },
      ],
    },
  },
  {
    reason: 'a DNAME in a signed zone',
    spec: {
      zones: [
        {
          name: 'corp.internal',
          dnssec: { mode: 'Signed' },
          records: [{ name: 'old', type: 'DNAME', values: ['new'] }],
        },
      ],
    },
  },
  { reason: 'an ALIAS at the top', spec: oddRecord({ name: '@', type: 'ALIAS', values: ['www.example.com.'] }) },
  { reason: '64 zones', spec: { zones: Array.from({ length: 64 }, (_, i) => ({ name: `z${i}.internal` })) } },
  { reason: 'addresses of IPv6', spec: { zones, service: { addresses: ['2001:db8::53', '::ffff:192.0.2.1', '::1'] } } },
  {
    reason: 'every namespaced kind, in eight namespaces',
    spec: {
      zones,
      discovery: {
        sources: [
          'Ingress',
          'Service',
          'DNSEndpoint',
          'IstioGateway',
          'IstioVirtualService',
          'HTTPProxy',
          'TraefikProxy',
          'OpenShiftRoute',
        ].map((kind) => ({ kind })),
        namespaces: Array.from({ length: 8 }, (_, i) => `n${i}`),
      },
    },
  },
  {
    reason: 'Services of every type',
    spec: {
      zones,
      discovery: {
        sources: [{ kind: 'Service', serviceTypes: ['ClusterIP', 'NodePort', 'LoadBalancer', 'ExternalName'] }],
      },
    },
  },
  {
    reason: 'routes with the same Gateways, written in another order',
    spec: {
      zones,
      discovery: {
        sources: [
          { kind: 'HTTPRoute', gatewayLabels: { a: 'b', c: 'd' } },
          { kind: 'TLSRoute', gatewayLabels: { c: 'd', a: 'b' } },
        ],
      },
    },
  },
  {
    reason: 'a resource of Kubernetes itself',
    spec: {
      zones,
      discovery: {
        sources: [
          { kind: 'Unstructured', resources: ['configmaps.v1', 'virtualmachineinstances.v1beta1.kubevirt.io'] },
        ],
      },
    },
  },
  {
    reason: 'hostnames: Spec',
    spec: {
      zones,
      discovery: { hostnames: 'Spec', sources: [{ kind: 'Ingress' }, { kind: 'HTTPRoute' }, { kind: 'DNSEndpoint' }] },
    },
  },
  {
    reason: 'selectors of every sort',
    spec: {
      zones,
      discovery: {
        selector: {
          matchLabels: { 'example.com/team': '' },
          matchExpressions: [{ key: 'a', operator: 'NotIn', values: ['b', ''] }],
        },
        annotationSelector: {},
      },
    },
  },
  {
    reason: 'patterns of every sort',
    spec: {
      zones,
      discovery: {
        tenants: [{ namespaceSelector: {}, names: ['a', '*.a', '[*].a', '*._tcp.corp.internal'] }],
        reservedNames: ['corp.internal', '[*].corp.internal'],
      },
    },
  },
  {
    reason: 'zones of teams',
    spec: {
      zones,
      discovery: {
        sources: [{ kind: 'Zone' }],
        tenants: [{ namespaceSelector: {}, names: [], zones: ['team.internal', '*.2.0.192.in-addr.arpa'] }],
      },
    },
  },
  {
    reason: 'a tenant without names',
    spec: { zones, discovery: { tenants: [{ namespaceSelector: {}, names: [] }] } },
  },
  { reason: 'the guard at its bounds', spec: { zones, discovery: { deleteGuard: { percent: 0, hold: '24h' } } } },
  {
    reason: 'prefixes of TXT records as ExternalDNS has them',
    spec: { zones, discovery: { ownershipTXT: { prefix: 'edns-%{record_type}-' } } },
  },
  {
    reason: 'the older prefix of annotations',
    spec: { zones, discovery: { annotationPrefix: 'external-dns.alpha.kubernetes.io/' } },
  },
  {
    reason: 'further arguments',
    spec: {
      zones,
      discovery: {
        extraArgs: [
          '--fqdn-template={{.Name}}.corp.internal',
          '--fqdn-template={{.Name}}.b.internal',
          '--no-exclude-unschedulable',
          '--kube-api-qps=50',
        ],
      },
    },
  },
  { reason: 'an interval of two units', spec: { zones, discovery: { interval: '1m30s' } } },
  { reason: 'an interval of exactly 1s in another unit', spec: { zones, discovery: { interval: '1000ms' } } },
  { reason: 'an interval with a fraction', spec: { zones, discovery: { interval: '1.5s' } } },
  { reason: 'a size without a unit', spec: { zones, storage: { size: '1073741824' } } },
  { reason: 'a size with an exponent', spec: { zones, storage: { size: '1e9' } } },
  { reason: 'a user and groups that the cluster assigns', spec: { zones, securityContext: {} } },
  { reason: 'a volume of a given group for an assigned user', spec: { zones, securityContext: { fsGroup: 1234 } } },
  { reason: 'a user without a group', spec: { zones, securityContext: { runAsUser: 1234, fsGroup: 1234 } } },
  { reason: 'an amount that YAML takes for a number', spec: { zones, resources: { agent: { limits: { cpu: 1 } } } } },
  {
    reason: 'a tailnet with the type that it has anyway',
    spec: { zones, service: { type: 'LoadBalancer', tailscale: {} } },
  },
  ...[
    'https://api.tailscale.com/',
    'https://headscale.example.com:8443/tailscale',
    'https://[2001:db8::1]',
    'http://10.64.0.1',
    'http://172.31.255.1:8080',
    'http://192.168.0.1/api',
    'http://100.100.100.100',
    'http://[fd7a:115c:a1e0::1]:80',
  ].map((apiURL) => ({
    reason: `the admin API is at ${apiURL}`,
    spec: { zones, service: { tailscale: { splitDNS: { ...oauthClient, apiURL } } } },
  })),
  { reason: 'a resolver of defaults', spec: { zones, resolver: {} } },
  { reason: 'a resolver for everybody that forwards nothing', spec: { zones, resolver: { allowFrom: ['0.0.0.0/0'] } } },
  ...['192.0.2.1', '192.0.2.1:5353', '2001:db8::1', '[2001:db8::1]:53', '[2001:db8::1]', '::1'].map((address) => ({
    reason: `the upstream ${address}`,
    spec: { zones, resolver: { forward: { upstreams: [{ address }] } } },
  })),
  {
    reason: 'a forwarded zone below an own one',
    spec: {
      zones,
      resolver: { forward: { zones: [{ name: 'ad.corp.internal', upstreams: [{ address: '192.0.2.1' }] }] } },
    },
  },
  {
    reason: 'clients behind nodes, of which a load balancer accepts known ones only',
    spec: {
      zones,
      service: {
        type: 'LoadBalancer',
        externalTrafficPolicy: 'Cluster',
        loadBalancerSourceRanges: ['192.0.2.0/24'],
      },
      resolver: forwarding,
    },
  },
  {
    reason: 'a tailnet, whose clients are all known',
    spec: { zones, service: { tailscale: {}, externalTrafficPolicy: 'Cluster' }, resolver: forwarding },
  },
  {
    reason: 'a wide view after a narrow one',
    spec: {
      zones,
      resolver: {
        views: [
          { name: 'some', from: ['10.1.0.0/16'], zones: ['corp.internal'] },
          { name: 'all', from: ['10.0.0.0/8'], internalDNS: 'b' },
        ],
      },
    },
  },
];

/** An InternalDNS as users write it. */
export const internalDNSOf = (spec: Spec, name = 'corp'): KubernetesObject => ({
  apiVersion: 'dns.internal/v1alpha1',
  kind: 'InternalDNS',
  metadata: { name },
  spec,
});
