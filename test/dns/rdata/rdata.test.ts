import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { splitFields } from '../../../functions/dns/rdata/field.ts';
import { parseContent } from '../../../functions/dns/rdata/rdata.ts';
import { type RecordType, recordTypes } from '../../../functions/dns/rdata/record-type.ts';
import { values } from './arbitraries.ts';

const origin = 'corp.internal.';
const hex = (octets: number) => 'ab'.repeat(octets);
const x = (length: number) => 'x'.repeat(length);

interface Cases {
  /** The RFC of the presentation format. */
  rfc: string;
  /** Input and content. */
  good: [text: string, content: string][];
  /** Input and message. */
  bad: [text: string, message: string][];
}

const aList = (text: string) =>
  `not a domain name but a list (a value is one name, with dots between its labels): ${text}`;

const target: Omit<Cases, 'rfc'> = {
  good: [
    ['www', 'www.corp.internal.'],
    ['@', 'corp.internal.'],
    ['www.corp.internal', 'www.corp.internal.'],
    ['WWW.Example.com.', 'www.example.com.'],
    ['_acme._tcp.bücher.example.', '_acme._tcp.xn--bcher-kva.example.'],
    ['1.0/25.2.0.192.in-addr.arpa.', '1.0/25.2.0.192.in-addr.arpa.'],
    ['my_lb', 'my_lb.corp.internal.'],
    ['1.2.3', '1.2.3.corp.internal.'],
    ['todo', 'todo.corp.internal.'],
    ['Print\\032shop\\040B\\041._ipp._tcp', 'print\\032shop(b)._ipp._tcp.corp.internal.'],
    ['a\\.b\\032c.example.com.', 'a\\.b\\032c.example.com.'],
  ],
  bad: [
    ['.', 'the root cannot be the target: .'],
    ['192.0.2.1', 'not a domain name but an address: 192.0.2.1'],
    ['192.0.2.1.', 'not a domain name but an address: 192.0.2.1.'],
    ['2001:db8::1', 'not a domain name but an address: 2001:db8::1'],
    ['https://www.example.com/', 'not a domain name but a URL: https://www.example.com/'],
    ['192.0.2.1:8080', 'not a domain name but an address and a port: 192.0.2.1:8080'],
    ['[2001:db8::1]', 'not a domain name but an address in brackets: [2001:db8::1]'],
    ['[2001:db8::1]:443', 'not a domain name but an address in brackets: [2001:db8::1]:443'],
    ['10.0.0.0/8', 'not a domain name but a network: 10.0.0.0/8'],
    ['2001:db8::/32', 'not a domain name but a network: 2001:db8::/32'],
    ['10/8', 'not a domain name but a network: 10/8'],
    ['192.0.2.1-192.0.2.9', 'not a domain name but a range of addresses: 192.0.2.1-192.0.2.9'],
    ['192.0.2.300', 'not a domain name but a text that ends in a number, like an IP address: 192.0.2.300'],
    ['lb.example.300.', 'not a domain name but a text that ends in a number, like an IP address: lb.example.300.'],
    [
      'lb.example.com:443',
      'not a domain name but a name and a port (leave the port out: SRV, HTTPS and SVCB have a field for it): lb.example.com:443',
    ],
    ['lb.example.com/path', 'not a domain name but a name and a path (leave the path out): lb.example.com/path'],
    ['elb.example.com/.', 'not a domain name but a name and a path (leave the path out): elb.example.com/.'],
    ['me@example.com', 'not a domain name but a mail address (use only its domain): me@example.com'],
    ['a.example.com,b.example.com', aList('a.example.com,b.example.com')],
    ['lb\\044example.com', aList('lb\\044example.com')],
    ['"lb.example.com"', 'a quote in a domain name: "lb.example.com"'],
    ["'lb.example.com'", "not a domain name but a text with ' in it: 'lb.example.com'"],
    ['<pending>', 'not a domain name but a placeholder: <pending>'],
    ['{{ .Values.host }}', 'not a domain name but a placeholder: {{ .Values.host }}'],
    ['$LB_HOST', 'not a domain name but a placeholder: $LB_HOST'],
    ['TODO', 'not a domain name but a placeholder: TODO'],
    ['www.example.com. 300', 'white space in a domain name: www.example.com. 300'],
    ['a..b', 'an empty label in a domain name: a..b.corp.internal.'],
  ],
};

const notHost = (name: string) =>
  `not a host name: ${name} (letters, digits and - only, and no - at the ends of a label)`;
const notEscape = (text: string) => `not an escape: ${text} (\\\\ is a backslash, \\DDD an octet by its decimal value)`;

const serviceBinding: Cases = {
  rfc: 'RFC 9460',
  good: [
    ['1 .', '1 .'],
    ['0 svc.example.net.', '0 svc.example.net.'],
    ['0 .', '0 .'],
    ['1 web alpn="h2,h3" port=443', '1 web.corp.internal. alpn=h2,h3 port=443'],
    ['1 . port=8443 alpn=h2', '1 . alpn=h2 port=8443'],
    ['1 . no-default-alpn alpn=h2', '1 . alpn=h2 no-default-alpn'],
    ['1 . ALPN=h2 Port="53"', '1 . alpn=h2 port=53'],
    [
      '1 . ipv4hint=192.0.2.1,192.0.2.2 ipv6hint="2001:DB8:0::1"',
      '1 . ipv4hint=192.0.2.1,192.0.2.2 ipv6hint=2001:db8::1',
    ],
    ['1 . ech=AEX+DQ==', '1 . ech="AEX+DQ=="'],
    [
      '1 . mandatory=key667,ipv4hint,alpn alpn=h2 ipv4hint=192.0.2.1 key667=x',
      '1 . mandatory=alpn,ipv4hint,key667 alpn=h2 ipv4hint=192.0.2.1 key667="x"',
    ],
    ['1 . alpn=dot dohpath=/dns-query{?dns} ohttp', '1 . alpn=dot dohpath="/dns-query{?dns}" ohttp'],
    ['1 . key65534="a b\\"\\\\\\200"', '1 . key65534="a b\\"\\\\\\200"'],
    ['1 . tls-supported-groups=29,23', '1 . tls-supported-groups=29,23'],
    ['16 foo.example.org. alpn="f\\\\\\\\oo\\\\,bar,h2"', '16 foo.example.org. alpn=f\\\\\\\\oo\\\\,bar,h2'],
    ['16 foo.example.org. alpn=f\\\\\\092oo\\092,bar,h2', '16 foo.example.org. alpn=f\\\\\\\\oo\\\\,bar,h2'],
    ['1 . alpn="a b,h2"', '1 . alpn="a b,h2"'],
  ],
  bad: [
    ['1', 'not "priority target parameters", such as "1 . alpn=h2": 1'],
    ['65536 .', 'not a number from 0 to 65535 as priority: 65536'],
    ['. alpn=h2', 'not a number from 0 to 65535 as priority: .'],
    ['0 web port=1', 'AliasMode (priority 0) takes no parameters: 0 web port=1'],
    ['1 . port=65536', 'not a number from 0 to 65535 as port: 65536'],
    ['1 . port', 'port without a value'],
    ['1 . alpn=', 'alpn without a value'],
    ['1 . alpn=h2,,h3', 'not a list of protocols, such as h2,h3: h2,,h3'],
    ['1 . alpn="h2', 'a quote is not closed, or a backslash is at the end: 1 . alpn="h2'],
    ['1 . alpn="h2"x', 'quotes must enclose the whole value, with \\" inside it: "h2"x'],
    [`1 . alpn=${x(256)}`, `a protocol of more than 255 octets: ${x(80)}…`],
    ['1 . alpn=\\001', 'contains a character that PowerDNS does not support here: \\001'],
    ['1 . key667="(a)"', 'contains a character that PowerDNS does not support here: (a)'],
    ['1 . key667', 'key667 without a value'],
    ['1 . ipv4hint=2001:db8::1', 'not an IPv4 address: 2001:db8::1'],
    ['1 . ipv6hint=auto', 'not an IPv6 address: auto'],
    ['1 . ech=AEX+DQ', 'not base64: AEX+DQ'],
    ['1 . ohttp=1', 'ohttp takes no value: ohttp=1'],
    ['1 . no-default-alpn', 'no-default-alpn without alpn'],
    ['1 . mandatory=port', 'mandatory, but missing: port'],
    ['1 . mandatory=mandatory', 'mandatory must not list itself'],
    ['1 . mandatory=port,port port=1', 'listed twice: port'],
    ['1 . port=1 port=2', 'listed twice: port'],
    ['1 . key3=1', 'write port, not key3'],
    ['1 . key65535=a', "not a parameter's key: key65535 (key10 to key65534 if it has no name)"],
    ['1 . key0667=a', "not a parameter's key: key0667 (key10 to key65534 if it has no name)"],
    ['1 . alpns=h2', "not a parameter's key: alpns (key10 to key65534 if it has no name)"],
    ['1 . =h2', 'not a parameter: =h2'],
    ['1 . dohpath=/dns-query', 'not a path with the variable dns, such as /dns-query{?dns}: /dns-query'],
    ['1 192.0.2.1', 'not a domain name but an address: 192.0.2.1'],
  ],
};

const cases: Readonly<Record<RecordType, Cases>> = {
  A: {
    rfc: 'RFC 1035 section 3.4.1',
    good: [
      ['192.0.2.1', '192.0.2.1'],
      [' 192.0.2.1\n', '192.0.2.1'],
      ['0.0.0.0', '0.0.0.0'],
      ['255.255.255.255', '255.255.255.255'],
      ['10.0.0.1', '10.0.0.1'],
      ['127.0.0.1', '127.0.0.1'],
    ],
    bad: [
      ['192.0.2.256', 'not an IPv4 address: 192.0.2.256'],
      ['192.0.2', 'not an IPv4 address: 192.0.2'],
      ['192.0.2.010', 'not an IPv4 address: 192.0.2.010'],
      ['0x7f.0.0.1', 'not an IPv4 address: 0x7f.0.0.1'],
      ['3221225985', 'not an IPv4 address: 3221225985'],
      ['192.0.2.1/24', 'not an IPv4 address: 192.0.2.1/24'],
      ['192.0.2.1 192.0.2.2', 'not an IPv4 address: 192.0.2.1 192.0.2.2'],
      ['2001:db8::1', 'not an IPv4 address: 2001:db8::1'],
      ['www', 'not an IPv4 address: www'],
      ['', 'no value given'],
    ],
  },
  AAAA: {
    rfc: 'RFC 4291 section 2.2, RFC 5952',
    good: [
      ['2001:DB8:0:0:0:0:0:1', '2001:db8::1'],
      ['2001:db8:0:1:0:0:0:1', '2001:db8:0:1::1'],
      ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
      ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
      ['2001:0db8::0001', '2001:db8::1'],
      ['::', '::'],
      ['::1', '::1'],
      ['1::', '1::'],
      ['::ffff:c000:201', '::ffff:192.0.2.1'],
      ['::FFFF:192.0.2.1', '::ffff:192.0.2.1'],
      ['64:ff9b::192.0.2.1', '64:ff9b::c000:201'],
      ['::1:2', '::0.1.0.2'],
      ['::ffff:0:0', '::ffff:0.0.0.0'],
      ['fe80::1', 'fe80::1'],
    ],
    bad: [
      ['fe80::1%eth0', 'an address in DNS has no zone id: fe80::1%eth0'],
      ['[2001:db8::1]', 'not an IPv6 address: [2001:db8::1]'],
      ['2001:db8::1/64', 'not an IPv6 address: 2001:db8::1/64'],
      ['2001:db8::1::2', 'not an IPv6 address: 2001:db8::1::2'],
      ['2001:db8:1', 'not an IPv6 address: 2001:db8:1'],
      ['2001:db8::g', 'not an IPv6 address: 2001:db8::g'],
      ['192.0.2.1', 'not an IPv6 address: 192.0.2.1'],
    ],
  },
  ALIAS: { rfc: 'https://doc.powerdns.com/authoritative/guides/alias.html', ...target },
  CAA: {
    rfc: 'RFC 8659',
    good: [
      ['0 issue "letsencrypt.org"', '0 issue "letsencrypt.org"'],
      ['0 issue letsencrypt.org', '0 issue "letsencrypt.org"'],
      ['0 issuewild ";"', '0 issuewild ";"'],
      ['0 issue ""', '0 issue ""'],
      ['128 ISSUE "ca1.example.net; account=230123"', '128 issue "ca1.example.net; account=230123"'],
      ['0 issue letsencrypt.org; validationmethods=dns-01', '0 issue "letsencrypt.org; validationmethods=dns-01"'],
      ['0 iodef mailto:security@example.com', '0 iodef "mailto:security@example.com"'],
      ['0  tbs  "Unknown \\"é\\""', '0 tbs "Unknown \\"\\195\\169\\""'],
    ],
    bad: [
      ['letsencrypt.org', 'not "flags tag value", such as "0 issue letsencrypt.org": letsencrypt.org'],
      ['issue letsencrypt.org', 'not "flags tag value", such as "0 issue letsencrypt.org": issue letsencrypt.org'],
      ['256 issue ca.example', 'not a number from 0 to 255 as flags: 256'],
      ['0 is-sue ca.example', 'not a tag of letters and digits: is-sue'],
      [
        '0 issue https://letsencrypt.org',
        'not the domain name of an authority, ";" or "name; parameter=value": https://letsencrypt.org',
      ],
      [
        '0 issue "ca.example; account"',
        'not the domain name of an authority, ";" or "name; parameter=value": ca.example; account',
      ],
      ['0 iodef security@example.com', 'not a mailto:, http: or https: URL: security@example.com'],
      ['0 issue "ca.example" x', 'quotes must enclose the whole value, with \\" inside it: "ca.example" x'],
      ['0 issue "ca.example', 'quotes must enclose the whole value, with \\" inside it: "ca.example'],
    ],
  },
  CNAME: { rfc: 'RFC 1035 section 3.3.1', ...target },
  DNAME: { rfc: 'RFC 6672 section 2.1', ...target },
  DS: {
    rfc: 'RFC 4034 section 5.3',
    good: [
      ['60485 5 1 2BB183AF5F22588179A53B0A98631FAD1A292118', '60485 5 1 2bb183af5f22588179a53b0a98631fad1a292118'],
      [
        '60485 5 1 ( 2BB183AF5F22588179A53B0A\n   98631FAD1A292118 )',
        '60485 5 1 2bb183af5f22588179a53b0a98631fad1a292118',
      ],
      [`12345 13 2 ${hex(32)}`, `12345 13 2 ${hex(32)}`],
      [`12345 ECDSAP256SHA256 2 ${hex(32)}`, `12345 13 2 ${hex(32)}`],
      [`0 14 4 ${hex(48)}`, `0 14 4 ${hex(48)}`],
      [`65535 ed25519 2 ${hex(32)}`, `65535 15 2 ${hex(32)}`],
      ['1 2 99 ABCD', '1 2 99 abcd'],
    ],
    bad: [
      [`65536 13 2 ${hex(32)}`, 'not a number from 0 to 65535 as key tag: 65536'],
      [`1 256 2 ${hex(32)}`, 'not a number from 0 to 255 as key algorithm: 256'],
      [`1 ECDSA 2 ${hex(32)}`, 'not a number from 0 to 255 as key algorithm: ECDSA'],
      ['1 13 2 abcd', 'not a digest of 64 hexadecimal digits but of 4 digits: abcd'],
      [`1 13 4 ${hex(32)}`, `not a digest of 96 hexadecimal digits but of 64 digits: ${hex(32)}`],
      ['1 13 2 xy', 'not a digest in hexadecimal: xy'],
      ['1 13 2', 'not a digest in hexadecimal: '],
      ['1 13 99 abc', 'not a digest of two hexadecimal digits for each octet but of 3 digits: abc'],
    ],
  },
  HTTPS: serviceBinding,
  MX: {
    rfc: 'RFC 1035 section 3.3.9, RFC 7505',
    good: [
      ['10 mail', '10 mail.corp.internal.'],
      ['10 mail.corp.internal', '10 mail.corp.internal.'],
      ['10 @', '10 corp.internal.'],
      ['0\tASPMX.L.GOOGLE.COM.', '0 aspmx.l.google.com.'],
      ['010 mail', '10 mail.corp.internal.'],
      ['65535 bücher.example.', '65535 xn--bcher-kva.example.'],
      ['0 .', '0 .'],
    ],
    bad: [
      ['mail', 'not "preference mail-server", such as "10 mail": mail'],
      ['mail 10', 'not a number from 0 to 65535 as preference: mail'],
      ['65536 mail', 'not a number from 0 to 65535 as preference: 65536'],
      ['-1 mail', 'not a number from 0 to 65535 as preference: -1'],
      ['10 mail 20', 'not "preference mail-server", such as "10 mail": 10 mail 20'],
      ['10 .', 'a null MX is "0 .", without another preference: 10 .'],
      ['10 192.0.2.1', 'not a domain name but an address: 192.0.2.1'],
      ['10 mail_1', notHost('mail_1.corp.internal.')],
      ['10 -mail', notHost('-mail.corp.internal.')],
    ],
  },
  NAPTR: {
    rfc: 'RFC 3403 section 4.1',
    good: [
      ['100 10 "u" "E2U+sip" "!^.*$!sip:info@example.com!" .', '100 10 "u" "E2U+sip" "!^.*$!sip:info@example.com!" .'],
      ['100 10 u E2U+sip !^.*$!sip:info@example.com! .', '100 10 "u" "E2U+sip" "!^.*$!sip:info@example.com!" .'],
      [
        '100 50 "s" "http+I2L+I2C+I2R" "" _http._tcp.gatech.edu.',
        '100 50 "s" "http+I2L+I2C+I2R" "" _http._tcp.gatech.edu.',
      ],
      ['1 2 "" "" "" @', '1 2 "" "" "" corp.internal.'],
      ['1 2 "U" "a" "!^(.*)$!\\\\1!" .', '1 2 "U" "a" "!^(.*)$!\\\\1!" .'],
      ['1 2 "a" "z3950+I2L" "" sip', '1 2 "a" "z3950+I2L" "" sip.corp.internal.'],
      ['1 2 "" "a" "!é!\\"!" .', '1 2 "" "a" "!\\195\\169!\\"!" .'],
    ],
    bad: [
      [
        '100 10 "u" "E2U+sip" .',
        'not "order preference flags services regexp replacement", such as "100 10 "u" "E2U+sip" "!^.*$!sip:info@example.com!" .": 100 10 "u" "E2U+sip" .',
      ],
      ['65536 10 "u" "" "" .', 'not a number from 0 to 65535 as order: 65536'],
      ['1 x "u" "" "" .', 'not a number from 0 to 65535 as preference: x'],
      ['1 2 "u!" "" "" .', 'not flags of letters and digits: "u!"'],
      ['1 2 "u" "a" "!a!b!" sip', 'both a regular expression and a replacement: 1 2 "u" "a" "!a!b!" sip'],
      ['1 2 "u" "a" "!(.*)!\\1!" .', notEscape('\\1')],
      [`1 2 "u" "${x(256)}" "" .`, 'services of 256 octets: 255 at most'],
      ['1 2 "u" "a', 'a quote is not closed, or a backslash is at the end: 1 2 "u" "a'],
    ],
  },
  NS: {
    rfc: 'RFC 1035 section 3.3.11',
    good: [
      ['ns1', 'ns1.corp.internal.'],
      ['ns1.corp.internal', 'ns1.corp.internal.'],
      ['ns1.example.com.', 'ns1.example.com.'],
      ['NS-1.Example.com.', 'ns-1.example.com.'],
      ['@', 'corp.internal.'],
      ['bücher.example.', 'xn--bcher-kva.example.'],
    ],
    bad: [...target.bad, ['ns_1', notHost('ns_1.corp.internal.')], ['*.example.com.', notHost('*.example.com.')]],
  },
  PTR: { rfc: 'RFC 1035 section 3.3.12', ...target },
  SRV: {
    rfc: 'RFC 2782',
    good: [
      ['0 5 5060 sip', '0 5 5060 sip.corp.internal.'],
      ['0 5 5060 sip.corp.internal', '0 5 5060 sip.corp.internal.'],
      ['10 60 5060 BigBox.Example.com.', '10 60 5060 bigbox.example.com.'],
      ['0\t0  389\tdc1', '0 0 389 dc1.corp.internal.'],
      ['0 0 0 .', '0 0 0 .'],
      ['65535 65535 65535 @', '65535 65535 65535 corp.internal.'],
    ],
    bad: [
      ['5060 sip', 'not "priority weight port target", such as "0 5 5060 sip": 5060 sip'],
      ['0 5 sip 5060', 'not a number from 0 to 65535 as port: sip'],
      ['65536 5 5060 sip', 'not a number from 0 to 65535 as priority: 65536'],
      ['0 -5 5060 sip', 'not a number from 0 to 65535 as weight: -5'],
      ['0 5 65536 sip', 'not a number from 0 to 65535 as port: 65536'],
      ['0 5 5060 192.0.2.1', 'not a domain name but an address: 192.0.2.1'],
      ['0 5 5060 _sip', notHost('_sip.corp.internal.')],
    ],
  },
  SSHFP: {
    rfc: 'RFC 4255 section 3.2, RFC 6594, RFC 7479',
    good: [
      ['2 1 123456789abcdef67890123456789abcdef67890', '2 1 123456789abcdef67890123456789abcdef67890'],
      ['2 1 123456789ABCDEF67890 123456789ABCDEF67890', '2 1 123456789abcdef67890123456789abcdef67890'],
      [`4 2 ${hex(32)}`, `4 2 ${hex(32)}`],
      [`1 2 ( ${hex(16)}\n ${hex(16)} )`, `1 2 ${hex(32)}`],
      [`3 1 ${hex(20)}`, `3 1 ${hex(20)}`],
      ['6 3 ABCD', '6 3 abcd'],
    ],
    bad: [
      [`4 1 ${hex(32)}`, `not a fingerprint of 40 hexadecimal digits but of 64 digits: ${hex(32)}`],
      [`4 2 ${hex(20)}`, `not a fingerprint of 64 hexadecimal digits but of 40 digits: ${hex(20)}`],
      [`256 1 ${hex(20)}`, 'not a number from 0 to 255 as key algorithm: 256'],
      [`ssh-ed25519 1 ${hex(20)}`, 'not a number from 0 to 255 as key algorithm: ssh-ed25519'],
      [`4 256 ${hex(20)}`, 'not a number from 0 to 255 as fingerprint type: 256'],
      ['4 2 SHA256:abc', 'not a fingerprint in hexadecimal: sha256:abc'],
      ['4 2', 'not a fingerprint in hexadecimal: '],
    ],
  },
  SVCB: serviceBinding,
  TLSA: {
    rfc: 'RFC 6698 section 2.2',
    good: [
      [`3 1 1 ${hex(32)}`, `3 1 1 ${hex(32)}`],
      [`3 1 1 ${hex(32).toUpperCase()}`, `3 1 1 ${hex(32)}`],
      [`0 0 1 ( ${hex(20)}\n${hex(12)} )`, `0 0 1 ${hex(32)}`],
      [`2 0 2 ${hex(64)}`, `2 0 2 ${hex(64)}`],
      [`3 0 0 ${hex(500)}`, `3 0 0 ${hex(500)}`],
      ['255 255 255 AB CD', '255 255 255 abcd'],
    ],
    bad: [
      [`3 1 1 ${hex(64)}`, `not a certificate association of 64 hexadecimal digits but of 128 digits: ${hex(40)}…`],
      [`3 1 2 ${hex(32)}`, `not a certificate association of 128 hexadecimal digits but of 64 digits: ${hex(32)}`],
      [`256 1 1 ${hex(32)}`, 'not a number from 0 to 255 as certificate usage: 256'],
      [`3 SPKI 1 ${hex(32)}`, 'not a number from 0 to 255 as selector: SPKI'],
      [`3 1 ${hex(32)}`, `not a number from 0 to 255 as matching type: ${hex(32)}`],
      ['3 1 1 a:b', 'not a certificate association in hexadecimal: a:b'],
    ],
  },
  TXT: {
    rfc: 'RFC 1035 section 3.3.14',
    good: [
      ['v=spf1 include:_spf.example.com ~all', '"v=spf1 include:_spf.example.com ~all"'],
      ['"v=spf1 -all"', '"v=spf1 -all"'],
      [`v=DKIM1; k=rsa; p=${x(400)}`, `"v=DKIM1; k=rsa; p=${x(237)}" "${x(163)}"`],
      [`"v=DKIM1; k=rsa; " "p=${x(200)}"`, `"v=DKIM1; k=rsa; " "p=${x(200)}"`],
      [`( "v=DKIM1; k=rsa; "\n\t"p=${x(200)}" )`, `"v=DKIM1; k=rsa; " "p=${x(200)}"`],
      ['"a""b"', '"a" "b"'],
      ['v=DKIM1\\; k=rsa', '"v=DKIM1; k=rsa"'],
      ['{"a": 1}', '"{\\"a\\": 1}"'],
      ['a"b', '"a\\"b"'],
      ['C:\\\\temp', '"C:\\\\temp"'],
      ['(a)', '"(a)"'],
      ['é', '"\\195\\169"'],
      ['a\tb', '"a\\009b"'],
      ['"\\065\\000\\127\\255"', '"A\\000\\127\\255"'],
      ['""', '""'],
      ['"" "a"', '"" "a"'],
      [x(255), `"${x(255)}"`],
      [x(256), `"${x(255)}" "x"`],
      [`"${x(256)}" "${x(255)}"`, `"${x(255)}" "x" "${x(255)}"`],
      ['é'.repeat(128), `"${'\\195\\169'.repeat(127)}\\195" "\\169"`],
    ],
    bad: [
      ['"a', 'not in quotes, or a quote is not closed: "a'],
      ['"a" b', 'not in quotes, or a quote is not closed: b'],
      ['"a"b"', 'not in quotes, or a quote is not closed: b"'],
      ['"a\\"', 'not in quotes, or a quote is not closed: "a\\"'],
      ['C:\\temp', notEscape('\\t')],
      ['a\\25', notEscape('\\2')],
      ['a\\', notEscape('\\')],
      ['a\nb', 'a line break in a text: a\nb (write it as \\010; quoted strings may be on several lines)'],
      ['"a\nb"', 'a line break in a text: "a\nb" (write it as \\010; quoted strings may be on several lines)'],
      [x(65_280), `a text of 65536 octets, 65535 at most: ${x(80)}…`],
    ],
  },
};

describe.each(recordTypes.map((type) => [type, cases[type]] as const))('%s', (type, { good, bad }) => {
  test.each(good)('%s is written %s', (text, content) => {
    expect(parseContent(type, text, origin)).toBe(content);
    expect(parseContent(type, content, origin)).toBe(content);
  });

  test.each(bad)('%s is refused: %s', (text, message) => {
    expect(() => parseContent(type, text, origin)).toThrow(new Error(message));
  });

  test('is the same when it is parsed again, in any zone', () => {
    fc.assert(
      fc.property(values[type], (text) => {
        const content = parseContent(type, text, origin);
        expect(parseContent(type, content, origin)).toBe(content);
        expect(parseContent(type, content, 'other.example.')).toBe(content);
      }),
    );
  });

  test('is printable ASCII, or refused in one plain line, for any input', () => {
    const anything = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.string({ unit: fc.constantFrom(...'0123 "\\;(),.=@abp:é\n') }),
      fc.tuple(values[type], fc.nat(60), fc.constantFrom('', '"', '\\', ' ', '1')).map(([text, at, extra]) => {
        return text.slice(0, at) + extra + text.slice(at + 1);
      }),
    );
    fc.assert(
      fc.property(anything, (text) => {
        let content: string;
        try {
          content = parseContent(type, text, origin);
        } catch (error) {
          expect((error as Error).constructor).toBe(Error);
          expect((error as Error).message).toMatch(/^.{1,400}$/s);
          return;
        }
        expect(content).toMatch(/^[ -~]+$/);
        expect(parseContent(type, content, origin)).toBe(content);
      }),
      { numRuns: 500 },
    );
  });
});

describe('the strings of a text', () => {
  test('hold the text, in as few as possible', () => {
    const text = fc.string({ unit: 'grapheme', maxLength: 2000 }).filter((t) => !/[\r\n]/.test(t));
    fc.assert(
      fc.property(text, (pasted) => {
        const content = parseContent('TXT', `"${pasted.replace(/["\\]/g, '\\$&')}"`, origin);
        const octets = splitFields(content).map((field) =>
          Buffer.concat(
            [...field.slice(1, -1).matchAll(/\\(\d{3})|\\?(.)/gs)].map(([, decimal, character]) =>
              decimal ? Buffer.of(Number(decimal)) : Buffer.from(character as string),
            ),
          ),
        );
        expect(Buffer.concat(octets).toString()).toBe(pasted.toWellFormed());
        const sizes = octets.map(({ length }) => length);
        expect(sizes.slice(0, -1).every((size) => size === 255)).toBe(true);
        expect(sizes.at(-1)).toBeLessThanOrEqual(255);
      }),
    );
  });
});

describe('the fields of RDATA', () => {
  test.each([
    ['10 mail', ['10', 'mail']],
    ['  10\t\n mail  ', ['10', 'mail']],
    ['"a b" c\\ d \\"', ['"a b"', 'c\\ d', '\\"']],
    ['alpn="a b"x', ['alpn="a b"x']],
    ['"a\\"b" ""', ['"a\\"b"', '""']],
    ['1 ( 2\n3 ) (4)', ['1', '2', '3', '(4)']],
    ['', []],
    [' ', []],
  ])('%s are %j', (text, fields) => {
    expect(splitFields(text)).toEqual(fields);
  });

  test.each(['"a', 'a "b', 'a"b', 'a\\'])('%s are not complete', (text) => {
    expect(() => splitFields(text)).toThrow(new Error(`a quote is not closed, or a backslash is at the end: ${text}`));
  });
});
