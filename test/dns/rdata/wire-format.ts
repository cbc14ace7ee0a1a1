import type { RecordType } from '../../../functions/dns/rdata/record-type.ts';

const zone = '0477697265 08696e7465726e616c 00';
const example = '076578616d706c65 03636f6d 00';
const sha256 = '8cb0fc6c527506a053f4f14c8464bebbd6dede2738d11468dd953d7d6a3021f1';

/** The origin of relative names. */
export const wireZone = 'wire.internal';

/** RDATA in hexadecimal, written by hand from the RFCs, for contents as people write them. */
export const wire: [type: Exclude<RecordType, 'ALIAS'>, section: string, text: string, octets: string][] = [
  ['A', 'RFC 1035 section 3.4.1', '192.0.2.1', 'c0000201'],
  ['A', 'RFC 1035 section 3.4.1', '255.0.10.99', 'ff000a63'],
  ['AAAA', 'RFC 3596 section 2.2', '2001:DB8::1', '20010db8 00000000 00000000 00000001'],
  ['AAAA', 'RFC 3596 section 2.2', '::ffff:192.0.2.1', '00000000 00000000 0000ffff c0000201'],
  ['AAAA', 'RFC 3596 section 2.2', '::1:2', '00000000 00000000 00000000 00010002'],
  ['CAA', 'RFC 8659 section 4.1', '0 issue letsencrypt.org', '00 05 6973737565 6c657473656e63727970742e6f7267'],
  ['CAA', 'RFC 8659 section 4.1', '128 X1 "\\"é"', '80 02 7831 22c3a9'],
  ['CNAME', 'RFC 1035 section 3.3.1', 'www', `03777777 ${zone}`],
  ['CNAME', 'RFC 1035 section 3.1', 'A\\.b\\\\.example.com.', `04612e625c ${example}`],
  ['CNAME', 'RFC 5890 section 2.3.2.1', 'bücher.example.com.', `0d786e2d2d62636865722d6b7661 ${example}`],
  ['DNAME', 'RFC 6672 section 2.1', 'old', `036f6c64 ${zone}`],
  ['DNAME', 'RFC 6672 section 2.1', 'example.com.', example],
  [
    'DS',
    'RFC 4034 section 5.4',
    '60485 5 1 ( 2BB183AF5F22588179A53B0A 98631FAD1A292118 )',
    'ec45 05 01 2bb183af5f22588179a53b0a98631fad1a292118',
  ],
  [
    'DS',
    'RFC 4509 section 2.3',
    '60485 RSASHA1 2 D4B7D520E7BB5F0F67674A0C CEB1E3E0614B93C4F9E99B83 83F6A1E4469DA50A',
    'ec45 05 02 d4b7d520e7bb5f0f67674a0cceb1e3e0614b93c4f9e99b8383f6a1e4469da50a',
  ],
  ['HTTPS', 'RFC 9460 appendix D.1', '0 foo.example.com.', `0000 03666f6f ${example}`],
  ['HTTPS', 'RFC 9460 appendix D.2', '1 . alpn=h2,h3 port=443', '0001 00 0001 0006 02 6832 02 6833 0003 0002 01bb'],
  [
    'HTTPS',
    'RFC 9461 section 5',
    '1 . dohpath=/q{?dns} ech=AAEC ohttp alpn=h2',
    '0001 00 0001 0003 02 6832 0005 0003 000102 0007 0008 2f717b3f646e737d 0008 0000',
  ],
  ['MX', 'RFC 1035 section 3.3.9', '10 mail', `000a 046d61696c ${zone}`],
  ['MX', 'RFC 7505 section 3', '0 .', '0000 00'],
  [
    'NAPTR',
    'RFC 3403 section 4.1',
    '100 10 u E2U+sip "!^.*$!sip:info@example.com!" .',
    '0064 000a 0175 07 4532552b736970 1b 215e2e2a24217369703a696e666f406578616d706c652e636f6d21 00',
  ],
  [
    'NAPTR',
    'RFC 3403 section 4.1',
    '1 65535 "s" "" "" _sip._udp',
    `0001 ffff 0173 00 00 045f736970 045f756470 ${zone}`,
  ],
  ['NAPTR', 'RFC 3403 section 4.1', '1 2 "" "a" "!(b)!\\\\1!" .', '0001 0002 00 0161 08 21286229215c3121 00'],
  ['NS', 'RFC 1035 section 3.3.11', 'ns1.example.com.', `036e7331 ${example}`],
  ['NS', 'RFC 1035 section 3.3.11', 'ns2', `036e7332 ${zone}`],
  ['PTR', 'RFC 1035 section 3.3.12', 'host.example.com.', `04686f7374 ${example}`],
  [
    'PTR',
    'RFC 6763 section 4.3',
    'My\\032Printer\\032\\(2\\)._ipp._tcp',
    `0e6d79207072696e74657220283229 045f697070 045f746370 ${zone}`,
  ],
  ['SRV', 'RFC 2782', '0 5 5060 sip.example.com.', `0000 0005 13c4 03736970 ${example}`],
  ['SRV', 'RFC 2782', '65535 1 443 .', 'ffff 0001 01bb 00'],
  [
    'SSHFP',
    'RFC 4255 section 3.1',
    '2 1 123456789abcdef67890123456789abcdef67890',
    '02 01 123456789abcdef67890123456789abcdef67890',
  ],
  [
    'SSHFP',
    'RFC 7479 section 3',
    '4 2 A87F1B687AC0E57D2A081A2F28267233 4D90ED316D2B818CA9580EA384D9240 1',
    '04 02 a87f1b687ac0e57d2a081a2f282672334d90ed316d2b818ca9580ea384d92401',
  ],
  [
    'SVCB',
    'RFC 9460 appendix D.2',
    '1 foo.example.com. key667="hello\\210qoo"',
    `0001 03666f6f ${example} 029b 0009 68656c6c6fd2716f6f`,
  ],
  [
    'SVCB',
    'RFC 9460 appendix D.2',
    '1 foo.example.com. ipv6hint="2001:db8::1,2001:db8::53:1"',
    `0001 03666f6f ${example} 0006 0020 20010db8000000000000000000000001 20010db8000000000000000000530001`,
  ],
  [
    'SVCB',
    'RFC 9460 appendix D.2',
    '16 foo.example.org. alpn=h2,h3-19 mandatory=ipv4hint,alpn ipv4hint=192.0.2.1',
    '0010 03666f6f 076578616d706c65 036f7267 00 0000 0004 0001 0004 0001 0009 026832 0568332d3139 0004 0004 c0000201',
  ],
  [
    'SVCB',
    'RFC 9460 appendix D.2',
    '16 foo.example.org. alpn="f\\\\\\\\oo\\\\,bar,h2"',
    '0010 03666f6f 076578616d706c65 036f7267 00 0001 000c 08 665c6f6f2c626172 026832',
  ],
  ['TLSA', 'RFC 6698 section 2.1', `3 1 1 ${sha256}`, `03 01 01 ${sha256}`],
  ['TLSA', 'RFC 6698 section 2.1', '255 255 0 ABCD EF', 'ff ff 00 abcdef'],
  ['TXT', 'RFC 1035 section 3.3.14', 'v=spf1 -all', '0b 763d73706631202d616c6c'],
  ['TXT', 'RFC 1035 section 3.3.14', '"é" "" "a\\"\\\\;\\000"', '02 c3a9 00 05 61225c3b00'],
  ['TXT', 'RFC 1035 section 3.3.14', 'x'.repeat(256), `ff ${'78'.repeat(255)} 01 78`],
];
