/** Refused and accepted specs of the namespaced kinds, for the schemas here and for a real API server in test/e2e. */

type Fields = Record<string, unknown>;

export interface BadKindSpec {
  reason: string;
  spec: Fields;
  /** The field in the message; empty for the spec itself. */
  path: string;
  message: string | RegExp;
  /** Set if the API server accepts it. */
  rejectedBy?: 'agent';
}

const machine = (reason: string, spec: Fields, path: string, message: string | RegExp, more = {}): BadKindSpec => ({
  ...{ reason, spec, path, message },
  ...more,
});
const byAgent = { rejectedBy: 'agent' } as const;
const unreachable = 'must be one at which others reach the host';
const tooMany = /too big|too many|must have at most/i;
const tooLong = /too big|too long/i;
const notOneOf = /expected one of|unsupported value|invalid option/i;

const relative = 'must be a host name without the zone';

export const badMachines: BadKindSpec[] = [
  machine('the hostname is a wildcard', { hostname: '*' }, 'hostname', `hostname ${relative}`),
  machine('the hostname is the zone', { hostname: '@' }, 'hostname', `hostname ${relative}`),
  machine('the hostname is in upper case', { hostname: 'NAS' }, 'hostname', `hostname ${relative}`),
  machine('the hostname ends with a dot', { hostname: 'nas.' }, 'hostname', `hostname ${relative}`),
  machine('the hostname has an underscore', { hostname: '_sip' }, 'hostname', `hostname ${relative}`),
  machine('a label is too long', { hostname: 'x'.repeat(64) }, 'hostname', 'hostname has a label of more than 63'),
  machine('the hostname is too long', { hostname: 'x.'.repeat(127) }, 'hostname', tooLong),
  machine(
    'hostname and zone are too long together',
    { hostname: 'x.'.repeat(60).slice(0, -1), zone: `${'y.'.repeat(66)}internal` },
    '',
    'hostname and zone have more than 253 characters together',
  ),
  machine('the zone has a trailing dot', { zone: 'corp.internal.' }, 'zone', 'zone must be written without'),
  machine('the address is a name', { addresses: ['nas'] }, 'addresses[0]', 'an address must be an IPv4 or IPv6'),
  machine('the address has a prefix', { addresses: ['192.0.2.7/24'] }, 'addresses[0]', 'an address must be an IPv4'),
  ...['127.0.0.1', '0.0.0.0', '169.254.169.254', '224.0.0.1', '255.255.255.255', '::1', '::', 'fe80::1', 'ff02::1'].map(
    (address) =>
      machine(`the address is ${address}`, { addresses: [address] }, 'addresses[0]', `an address ${unreachable}`),
  ),
  ...['::ffff:127.0.0.1', '::FFFF:0:169.254.1.1', '64:ff9b::0.0.0.1', '100.100.100.200', '::168.63.129.16'].map(
    (address) =>
      machine(`the address is ${address}`, { addresses: [address] }, 'addresses[0]', `an address ${unreachable}`),
  ),
  machine(
    'a loopback in hexadecimal digits',
    { addresses: ['::ffff:7f00:1'] },
    'addresses[0]',
    `an address ${unreachable}`,
    byAgent,
  ),
  machine('an address twice', { addresses: ['192.0.2.7', '192.0.2.7'] }, 'addresses', /duplicate/i),
  machine(
    'there are too many addresses',
    { addresses: Array.from({ length: 17 }, (_, i) => `192.0.2.${i + 1}`) },
    'addresses',
    tooMany,
  ),
  machine('an alias is a wildcard', { aliases: ['*.nas'] }, 'aliases[0]', `an alias ${relative}`),
  machine('the ttl is negative', { ttl: -1 }, 'ttl', /too small|greater than or equal/i),
  machine('reverse is no mode', { reverse: 'Yes' }, 'reverse', notOneOf),
];

export const goodMachines: Fields[] = [
  {},
  { hostname: 'nas', zone: 'corp.internal', addresses: ['192.0.2.7', '2001:db8::7'], aliases: ['files'], ttl: 30 },
  { hostname: 'printer.floor3', reverse: 'Off' },
  { hostname: 'x.'.repeat(60).slice(0, -1), zone: `${'y.'.repeat(62)}internal`.slice(0, 133) },
  { hostname: `${'x.'.repeat(100)}corp.internal`, zone: 'corp.internal' },
  { addresses: ['126.0.0.1', '100.100.100.20', '255.255.255.254', '192.0.0.1', '64:ff9b::192.0.2.1', '2001:db8::1'] },
];

const name = 'mail.corp.internal';
const selector = { matchLabels: { role: 'mail' } };
const claim = (reason: string, fields: Fields, path: string, message: string | RegExp, more = {}): BadKindSpec => ({
  ...{ reason, spec: { name, selector, ...fields }, path, message },
  ...more,
});
const check = { port: 25 };

export const badClaims: BadKindSpec[] = [
  { reason: 'nothing is claimed', spec: { selector }, path: '', message: 'a claim needs name, template or both' },
  { reason: 'nothing is a member', spec: { name }, path: '', message: 'a claim needs selector, addresses or both' },
  claim('the name is a wildcard', { name: '*.corp.internal' }, 'name', 'name must not be a wildcard'),
  claim('the name is a label', { name: 'mail' }, 'name', 'name must be written in full'),
  claim('the name is in upper case', { name: 'Mail.corp.internal' }, 'name', 'name must be in lower case'),
  claim(
    'the operator is none',
    { selector: { matchExpressions: [{ key: 'a', operator: 'Is' }] } },
    'selector.matchExpressions[0].operator',
    notOneOf,
  ),
  claim(
    'a selector has a wrong label',
    { selector: { matchLabels: { role: 'a b' } } },
    'selector.matchLabels.role',
    'a selector compares with',
  ),
  claim('an address is of the pod', { addresses: ['127.0.0.1'] }, 'addresses[0]', `an address ${unreachable}`),
  claim(
    'there are too many addresses',
    { addresses: Array.from({ length: 65 }, (_, i) => `192.0.2.${i + 1}`) },
    'addresses',
    tooMany,
  ),
  claim('the check is empty', { check: {} }, 'check', 'check has either port or url'),
  claim(
    'the check is of two sorts',
    { check: { port: 25, url: 'http://{{machine.ip}}/' } },
    'check',
    'check has either port or url',
  ),
  claim('contains has no page', { check: { port: 25, contains: 'ok' } }, 'check', 'contains and status need url'),
  claim('the port is none', { check: { port: 0 } }, 'check.port', /too small|greater than or equal/i),
  claim(
    'the URL is of files',
    { check: { url: 'file:///etc/passwd' } },
    'check.url',
    'url must be one of http or https',
  ),
  claim(
    'the URL has a placeholder of records',
    { check: { url: 'http://{{value}}/' } },
    'check.url',
    'url has an unknown placeholder: the only one is {{machine.ip}}',
  ),
  claim(
    'the URL has half a placeholder',
    { check: { url: 'http://{{machine.ip}}/{{' } },
    'check.url',
    'url has an unknown placeholder',
  ),
  ...[
    'http://127.0.0.1:8081/api',
    'http://169.254.169.254/{{machine.ip}}',
    'http://[::1]/{{machine.ip}}',
    'http://10.96.0.1/{{machine.ip}}',
    'http://0/{{machine.ip}}',
  ].map((url) =>
    claim(`the URL is ${url}`, { check: { url } }, 'check.url', 'url must not have an address as its host'),
  ),
  ...['http://0x7f000001/', 'http://127.1/', 'http://db.1:80', 'http://2130706433?{{machine.ip}}'].map((url) =>
    claim(`the URL is ${url}`, { check: { url } }, 'check.url', 'url must not have an address as its host'),
  ),
  ...['http://localhost:8080/', 'https://a.LocalHost', 'http://metadata/', 'http://Metadata.google.internal?x'].map(
    (url) => claim(`the URL is ${url}`, { check: { url } }, 'check.url', 'url must have the host of a member'),
  ),
  claim(
    'the URL has credentials',
    { check: { url: 'http://a:b@{{machine.ip}}/' } },
    'check.url',
    'url must have no credentials',
  ),
  ...[
    'http:///healthz',
    'http://-a/',
    'http://a..b/',
    'http://{{machine.ip}}x/',
    'http://a:b/',
    'http://a:123456/',
  ].map((url) => claim(`the URL is ${url}`, { check: { url } }, 'check.url', 'url must have {{machine.ip}} or a name')),
  ...['0', '00', '65536', '70000', '99999'].map((port) =>
    claim(
      `the URL has the port ${port}`,
      { check: { url: `http://{{machine.ip}}:${port}/` } },
      'check.url',
      'url must have a port from 1 to 65535',
    ),
  ),
  claim(
    'the URL has the address after a name',
    { check: { url: 'http://mail.example.com/{{machine.ip}}' } },
    'check.url',
    'url must have {{machine.ip}} as its host or not at all',
  ),
  ...['"', ' ', '<', '>', '`', '|', '^', '\\', '%', '%2', '%2g', '%g2', 'é', '\n', '\u007f', '😀'].map((text) =>
    claim(
      `the URL has ${JSON.stringify(text)}`,
      { check: { url: `http://{{machine.ip}}/a${text}` } },
      'check.url',
      'url must have only characters of RFC 3986',
    ),
  ),
  claim(
    'the text of the page is not ASCII',
    { check: { url: 'http://{{machine.ip}}/', contains: 'grün' } },
    'check.contains',
    'contains must be printable ASCII',
  ),
  ...['0s', '11m', '1500ms', '1.5s', '5', '-1s'].map((interval) =>
    claim(
      `the interval is ${interval}`,
      { check: { port: 25, interval } },
      'check.interval',
      'interval must be whole seconds from 1s to 10m',
    ),
  ),
  claim(
    'the timeout is too long',
    { check: { port: 25, interval: '1m', timeout: '6s' } },
    'check.timeout',
    'timeout must be whole seconds from 1s to 5s',
  ),
  claim(
    'the timeout is longer than the interval',
    { check: { port: 25, interval: '2s', timeout: '3s' } },
    'check',
    'timeout must be no longer than interval',
  ),
  claim('the answer is none', { answer: 'Any' }, 'answer', notOneOf),
  claim('a weight has no use', { weightLabel: 'weight' }, '', 'weightLabel needs answer: Weighted or Sticky'),
  claim('there are no weights', { answer: 'Weighted' }, '', 'answer: Weighted needs weightLabel'),
  claim(
    'the label of weights is none',
    { answer: 'Weighted', weightLabel: 'a b' },
    'weightLabel',
    'weightLabel must be that of a label',
  ),
  claim('nothing finds out that all are down', { whenAllDown: 'None' }, '', 'whenAllDown needs check'),
  claim(
    'the backup is missing',
    { check, whenAllDown: 'Backup' },
    '',
    'backup, with at least one address, and whenAllDown: Backup need each other',
  ),
  claim('the backup has no use', { check, backup: ['192.0.2.9'] }, '', 'backup, with at least one address'),
  claim(
    'the backup is of the pod',
    { check, whenAllDown: 'Backup', backup: ['::1'] },
    'backup[0]',
    `an address in backup ${unreachable}`,
  ),
  claim('the template has no placeholder', { template: name }, 'template', 'template must contain {{machine.name}}'),
  claim(
    'the template has an unknown placeholder',
    { template: '{{machine.name}}.{{machine.zone}}' },
    'template',
    'template has an unknown placeholder: the only one is {{machine.name}}',
  ),
  claim(
    'the template is a label',
    { template: '{{machine.name}}' },
    'template',
    'template must be a host name in full',
  ),
  claim(
    'the template is a wildcard',
    { template: '*.{{machine.name}}.corp.internal' },
    'template',
    'template must be a host name in full',
  ),
  claim(
    'the template ends with a number',
    { template: '{{machine.name}}.1' },
    'template',
    'template must be a host name in full',
  ),
  claim(
    'the template has a long label',
    { template: `${'x'.repeat(63)}{{machine.name}}.corp.internal` },
    'template',
    'template has a label of more than 63 characters',
  ),
  {
    reason: 'the addresses have no name',
    spec: { template: '{{machine.name}}.corp.internal', selector, addresses: ['192.0.2.1'] },
    path: '',
    message: 'addresses are answered under the name',
  },
  {
    reason: 'the template has no Machines',
    spec: { template: '{{machine.name}}.corp.internal', addresses: ['192.0.2.1'] },
    path: '',
    message: 'namespaceSelector and template are about Machines',
  },
  {
    reason: 'a check has no name',
    spec: { template: '{{machine.name}}.corp.internal', selector, check },
    path: '',
    message: 'check and answer are about the name',
  },
];

export const goodClaims: Fields[] = [
  { name, selector },
  { name, selector: {}, namespaceSelector: { matchExpressions: [{ key: 'team', operator: 'Exists' }] } },
  { name, addresses: ['192.0.2.1'], check: { port: 25, interval: '10s', timeout: '5s' } },
  { name, selector, check: { url: 'https://{{machine.ip}}/healthz', contains: 'ok', status: 200 } },
  { name, selector, check: { url: 'https://mail.example.com/healthz' }, whenAllDown: 'Backup', backup: ['192.0.2.9'] },
  {
    ...{ name, selector },
    check: { url: "https://{{machine.ip}}:8443/a-b._~:/?#[]@!$&'()*+,;=%2F?{{machine.ip}}", interval: '1m30s' },
  },
  ...['http://{{machine.ip}}:65535', 'http://{{machine.ip}}:1?q', 'http://my_host.local7', 'http://localhosts/'].map(
    (url) => ({ name, selector, check: { url, timeout: '5s', interval: '5000ms' } }),
  ),
  { name, selector, answer: 'Weighted', weightLabel: 'example.com/weight' },
  { selector, template: '{{machine.name}}.mail.corp.internal' },
  { name, selector, template: 'mx-{{machine.name}}.corp.internal', answer: 'Closest', check, whenAllDown: 'None' },
];

const domain = 'team.internal';
const www = { name: 'www', type: 'A', values: ['192.0.2.80'] };
const zone = (reason: string, fields: Fields, path: string, message: string | RegExp): BadKindSpec => ({
  ...{ reason, spec: { name: domain, ...fields }, path, message },
});
const record = (reason: string, fields: Fields, path: string, message: string | RegExp): BadKindSpec =>
  zone(reason, { records: [www, { ...www, ...fields }] }, path, message);

export const badZones: BadKindSpec[] = [
  { reason: 'it has no name', spec: {}, path: 'name', message: /required|expected string/i },
  zone('the name has a trailing dot', { name: 'team.internal.' }, 'name', 'zone name must be written without'),
  zone('the name is in upper case', { name: 'Team.internal' }, 'name', 'zone name must be in lower case'),
  zone('the name is a wildcard', { name: '*.team.internal' }, 'name', 'zone name must be a domain name'),
  zone('the name has a slash of its own', { name: 'a/b.internal' }, 'name', 'zone name has a slash only where'),
  zone('a label is too long', { name: `${'x'.repeat(64)}.internal` }, 'name', 'zone name has a label of more than 63'),
  zone(
    'there is no host name below it',
    { name: '64/26.2.0.192.in-addr.arpa' },
    '',
    'a zone with a slash or an underscore in its name needs nameServers',
  ),
  zone(
    'a name server is an address',
    { nameServers: ['192.0.2.53'] },
    'nameServers[0]',
    /^name server|a name, such as/,
  ),
  zone(
    'there are too many name servers',
    { nameServers: Array.from({ length: 14 }, (_, i) => `ns${i}.team.internal`) },
    'nameServers',
    tooMany,
  ),
  zone('the mailbox is no name', { soa: { rname: 'hostmaster' } }, 'soa', 'soa.rname must be written in full'),
  zone('the defaultTTL is negative', { defaultTTL: -1 }, 'defaultTTL', /too small|greater than or equal/i),
  zone('signing has no such mode', { dnssec: { mode: 'On' } }, 'dnssec.mode', notOneOf),
  zone('there are too many records', { records: Array.from({ length: 1001 }, () => www) }, 'records', tooMany),
  record('a record has no such type', { type: 'LUA' }, 'records[1].type', notOneOf),
  record('a record has no value', { values: [] }, 'records[1].values', /too small|at least 1/i),
  record('a record is a DNAME', { type: 'DNAME', values: ['other'] }, '', 'records can have no DNAME here'),
  record('a record requests pages', { check: { url: 'http://{{value}}/' } }, '', 'records can have no check.url here'),
  record('a record has PTR records', { ptr: true }, '', 'records can have no ptr here'),
];

export const goodZones: Fields[] = [
  { name: domain },
  { name: 'a_b.internal', nameServers: ['ns1.team.internal'] },
  { name: '64/26.2.0.192.in-addr.arpa', nameServers: ['ns1.team.internal'] },
  {
    name: domain,
    soa: { mname: 'ns1.team.internal', rname: 'admin@team.internal', minimum: 30 },
    defaultTTL: 300,
    records: [
      { ...www, ptr: false, check: { port: 443, interval: '10s' }, answer: 'Sticky', whenAllDown: 'All' },
      { name: '@', type: 'MX', values: ['10 mail'] },
      { name: 'ns', type: 'A', values: ['{{service.address}}'] },
    ],
    dnssec: { mode: 'Signed', algorithm: 'ED25519', nsec3: true },
  },
];

/** Edits that only an API server can refuse. */
export const badZoneEdits: { reason: string; before: Fields; after: Fields; message: string }[] = [
  { reason: 'of the name', before: { name: domain }, after: { name: 'other.internal' }, message: 'name is immutable' },
  {
    reason: 'from Signed to Off',
    before: { name: domain, dnssec: { mode: 'Signed' } },
    after: { name: domain, dnssec: { mode: 'Off' } },
    message: 'dnssec.mode can change from Signed to "Off" only through Unsigning',
  },
  {
    reason: 'of the algorithm of a key',
    before: { name: domain, dnssec: { mode: 'Signed' } },
    after: { name: domain, dnssec: { mode: 'Signed', algorithm: 'ED25519' } },
    message: 'dnssec.algorithm cannot change while the zone has a key',
  },
];
