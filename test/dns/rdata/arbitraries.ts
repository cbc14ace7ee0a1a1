/** Valid values as people paste them, from usual to unusual. */
import fc from 'fast-check';
import type { RecordType } from '../../../functions/dns/rdata/record-type.ts';

const joined = (separator: string, ...parts: fc.Arbitrary<string>[]) =>
  fc.tuple(...parts).map((texts) => texts.join(separator));
const mixedCase = (digits: string) => fc.boolean().map((upper) => (upper ? digits.toUpperCase() : digits));
const hex = (octets: number) =>
  fc
    .uint8Array({ minLength: octets, maxLength: octets })
    .chain((bytes) => mixedCase(Buffer.from(bytes).toString('hex')))
    .chain((digits) => fc.nat(digits.length).map((at) => `${digits.slice(0, at)} ${digits.slice(at)}`));
const number = (most: number) => fc.oneof(fc.constantFrom(0, 1, most), fc.nat(most)).map(String);
const byte = number(255);
const word = number(65_535);

const hostLabel = fc.oneof(
  fc.stringMatching(/^[A-Za-z0-9]([A-Za-z0-9-]{0,20}[A-Za-z0-9])?$/),
  fc.constantFrom('a', 'x'.repeat(63), 'xn--bcher-kva', 'bücher', 'ΑΘΗΝΑ', '例え'),
);
/** Other printable characters are rejected, also as escapes; digits could make the last label a number. */
const octet = fc
  .integer({ min: 0, max: 255 })
  .filter((value) => value <= 0x20 || value >= 0x7f || /[a-zA-Z._\\-]/.test(String.fromCharCode(value)));
const oddCharacter = fc.oneof(
  fc.stringMatching(/^[a-zA-Z0-9_-]$/),
  fc.constantFrom('\\.', '\\\\', '\\032'),
  octet.map((value) => `\\${String(value).padStart(3, '0')}`),
);
const oddLabel = fc.array(oddCharacter, { minLength: 1, maxLength: 20 }).map((characters) => characters.join(''));
const nameOf = (label: fc.Arbitrary<string>) =>
  joined(
    '',
    fc.array(label, { minLength: 1, maxLength: 3 }).map((labels) => labels.join('.')),
    fc.constantFrom('', '.'),
  );

/** See mistaken-name.ts. */
const isMistaken = (name: string) =>
  /(?:^|\.)(?:\d+|0x[0-9a-f]+)\.?$/i.test(name) || /^(?:\d+\/\d+|to-?do|tb[ad]|nil|none|null)\.?$/i.test(name);

export const hostName = fc.oneof(
  nameOf(hostLabel).filter((name) => !isMistaken(name)),
  fc.constantFrom('@', 'mail.corp.internal', 'Mail.Example.COM.'),
);
export const domainName = fc
  .oneof(hostName, nameOf(fc.oneof(hostLabel, fc.constantFrom('_dmarc', '*', '0/25'))), nameOf(oddLabel))
  .filter((name) => !isMistaken(name));

const ipv4 = fc.ipV4();
const ipv6 = fc.oneof(
  fc.ipV6(),
  fc.array(fc.constantFrom('0', '0', '0', '1', 'FFFF', '0db8'), { minLength: 8, maxLength: 8 }).map((g) => g.join(':')),
  ipv4.map((address) => `::ffff:${address}`),
  ipv4.map((address) => `::${address}`),
  ipv4.map((address) => `64:ff9b::${address}`),
);

/** Any text without a line break, in lengths around those of one and two strings. */
const anyText = fc
  .oneof(
    fc.string({ unit: 'grapheme', maxLength: 60 }),
    fc.string({ unit: 'binary', maxLength: 300 }),
    fc.constantFrom('"', '\\', ';', '\\"', 'a;b', ' ', '\t', '\0', '\x7f', 'é'.repeat(127), 'é'.repeat(128)),
    fc.constantFrom(0, 1, 254, 255, 256, 509, 510, 511, 4000).map((length) => 'x'.repeat(length)),
  )
  .map((text) => text.replace(/[\r\n]/g, ''));
const short = (text: string) => Buffer.byteLength(text) <= 255;
const escaped = (text: string) => text.replace(/["\\]/g, '\\$&');
const inQuotes = (text: string) => `"${escaped(text)}"`;
const strings = fc
  .array(anyText.map(inQuotes), { minLength: 1, maxLength: 4 })
  .chain((list) => fc.constantFrom(' ', '', '\n\t').map((space) => list.join(space)));
const bare = anyText.map((text) => `v=${text.replace(/\\/g, '\\\\')}`);
const spf = fc.constantFrom('v=spf1 include:_spf.example.com ~all', 'v=DKIM1\\; k=rsa\\; p=MIGf', 'v=DMARC1; p=none');

const issuer = fc.constantFrom(
  ';',
  '""',
  'letsencrypt.org',
  '"ca.example.net; account=230123"',
  'ca.example; validationmethods=dns-01',
);
const caa = fc.oneof(
  joined(' ', byte, fc.constantFrom('issue', 'ISSUEWILD', 'issuemail'), issuer),
  joined(' ', byte, fc.constant('iodef'), fc.constantFrom('mailto:a@example.com', '"https://example.com/?a=b"')),
  joined(' ', byte, fc.constantFrom('contactemail', 'x1'), anyText.map(inQuotes)),
);

const shortString = anyText.filter(short).map(inQuotes);
const naptr = fc.oneof(
  joined(' ', word, word, fc.constantFrom('u', '"S"', '""'), shortString, fc.constant('""'), domainName),
  joined(' ', word, word, fc.constantFrom('"u"', 'P'), shortString, shortString, fc.constant('.')),
);

/** Octets that PowerDNS preserves in a parameter. */
const plainText = fc
  .string({ unit: fc.constantFrom(..."abz09-_ ,\\/.=:{}?#&%+*~!'<>|@"), minLength: 1, maxLength: 20 })
  .filter((text) => !text.includes('"'));
const opaque = fc.oneof(
  plainText,
  anyText.filter((text) => text !== '' && short(text) && !/[();]/.test(text)),
);
const protocols = fc.array(fc.oneof(fc.constantFrom('h2', 'h3', 'http/1.1'), plainText), {
  minLength: 1,
  maxLength: 4,
});
const list = (item: fc.Arbitrary<string>) =>
  fc.array(item, { minLength: 1, maxLength: 3 }).map((items) => items.join());
const base64 = fc.uint8Array({ minLength: 1, maxLength: 60 }).map((bytes) => Buffer.from(bytes).toString('base64'));
const parameters = {
  alpn: protocols.map((ids) => `alpn=${inQuotes(ids.map((id) => id.replace(/[\\,]/g, '\\$&')).join())}`),
  port: word.map((port) => `port=${port}`),
  ipv4hint: list(ipv4).map((value) => `ipv4hint=${value}`),
  ech: base64.chain((value) => fc.constantFrom(`ech=${value}`, `ech="${value}"`)),
  ipv6hint: list(ipv6).map((value) => `ipv6hint="${value}"`),
  dohpath: fc.constantFrom('dohpath=/dns-query{?dns}', 'dohpath="/é/{?a,dns}"'),
  ohttp: fc.constant('ohttp'),
  'tls-supported-groups': fc.uniqueArray(word, { minLength: 1, maxLength: 3 }).map((g) => `tls-supported-groups=${g}`),
  key667: opaque.map((value) => `key667=${inQuotes(value)}`),
  KEY65534: opaque.map((value) => `KEY65534=${inQuotes(value)}`),
};
type Parameter = keyof typeof parameters;
const parameterList = fc.shuffledSubarray(Object.keys(parameters) as Parameter[]).chain((keys) => {
  const given = keys.map((key) => parameters[key]);
  const extras = [
    ...(keys.length > 0 ? [fc.constantFrom('', `mandatory=${keys.map((key) => key.toLowerCase())}`)] : []),
    ...(keys.includes('alpn') ? [fc.constantFrom('', 'no-default-alpn')] : []),
  ];
  return joined(' ', ...given, ...extras);
});
const serviceBinding = fc.oneof(
  joined(' ', fc.constant('0'), fc.oneof(domainName, fc.constant('.'))),
  joined(
    ' ',
    number(65_534).map((n) => String(Number(n) + 1)),
    fc.oneof(domainName, fc.constant('.')),
    parameterList,
  ),
);

export const values: Readonly<Record<RecordType, fc.Arbitrary<string>>> = {
  A: ipv4,
  AAAA: ipv6,
  ALIAS: domainName,
  CAA: caa,
  CNAME: domainName,
  DNAME: domainName,
  DS: fc.oneof(
    joined(' ', word, fc.constantFrom('8', '13', 'ECDSAP256SHA256'), fc.constantFrom('2', '( 2'), hex(32)),
    joined(' ', word, byte, fc.constant('1'), hex(20)),
    joined(' ', word, byte, fc.constant('4'), hex(48)),
  ),
  HTTPS: serviceBinding,
  MX: fc.oneof(joined(' ', word, hostName), fc.constant('0 .')),
  NAPTR: naptr,
  NS: hostName,
  PTR: domainName,
  SRV: joined('  ', word, word, word, fc.oneof(hostName, fc.constant('.'))),
  SSHFP: fc.oneof(
    joined(' ', byte, fc.constant('1'), hex(20)),
    joined(' ', byte, fc.constant('2'), hex(32)),
    joined(' ', byte, fc.constant('7'), hex(5)),
  ),
  SVCB: serviceBinding,
  TLSA: fc.oneof(
    joined(' ', byte, byte, fc.constant('0'), hex(300)),
    joined(' ', byte, byte, fc.constant('1'), hex(32)),
    joined(' ', byte, byte, fc.constant('2'), hex(64)),
  ),
  TXT: fc.oneof(spf, bare, strings),
};
