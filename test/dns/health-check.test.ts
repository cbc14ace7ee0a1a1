import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { checkTimes, forbiddenTarget, urlIssue, wholeSeconds } from '../../functions/dns/health-check.ts';

describe('durations', () => {
  test.each([
    ['5s', 5],
    ['1m30s', 90],
    ['2000ms', 2],
    ['1h', 3600],
    ['999ms1ms', 1],
    ['1.5s', Number.NaN],
    ['5', Number.NaN],
    ['', Number.NaN],
    ['-5s', Number.NaN],
    ['5s ', Number.NaN],
    ['9999999999s', Number.NaN],
  ])('%j is %d seconds', (text, expected) => {
    expect(wholeSeconds(text)).toBe(expected);
  });

  test.each([
    [{}, { interval: 5, timeout: 2 }],
    [{ interval: '1s' }, { interval: 1, timeout: 1 }],
    [
      { interval: '1m', timeout: '4s' },
      { interval: 60, timeout: 4 },
    ],
  ])('have defaults: %j', (check, expected) => {
    expect(checkTimes(check)).toEqual(expected);
  });
});

describe('addresses that are never checked', () => {
  const refused = [
    ['127.0.0.1', 'a loopback address'],
    ['127.255.255.254', 'a loopback address'],
    ['0.0.0.0', 'an unspecified address'],
    ['0.1.2.3', 'an unspecified address'],
    ['169.254.169.254', 'a link-local address'],
    ['224.0.0.1', 'a multicast address'],
    ['239.255.255.255', 'a multicast address'],
    ['255.255.255.255', 'the broadcast address'],
    ['100.100.100.200', "a cloud's metadata service"],
    ['168.63.129.16', "a cloud's metadata service"],
    ['192.0.0.192', "a cloud's metadata service"],
  ] as const;
  test.each(refused)('%s and its network: %s', (address, what) => {
    const [a, b, c, d] = address.split('.').map(Number) as [number, number, number, number];
    const hex = `${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`;
    expect(forbiddenTarget(address)).toBe(what);
    for (const form of [
      `::ffff:${address}`,
      `0:0:0:0:0:FFFF:${hex}`,
      `::ffff:${hex}`,
      `64:ff9b::${hex}`,
      `::ffff:0:${address}`,
      `2002:${hex}::`,
      `2002:${hex}:0:1::8`,
    ]) {
      expect([form, forbiddenTarget(form)]).toEqual([form, what]);
    }
    expect(forbiddenTarget(`::${address}`)).toBeDefined();
  });

  test.each([
    ['::', 'an unspecified address'],
    ['::1', 'a loopback address'],
    ['0:0:0:0:0:0:0:1', 'a loopback address'],
    ['fe80::1', 'a link-local address'],
    ['febf::1', 'a link-local address'],
    ['ff02::1', 'a multicast address'],
    ['fd00:ec2::254', "a cloud's metadata service"],
    ['FD00:0EC2:0::254', "a cloud's metadata service"],
    ['fd00:ec2::23', "a cloud's metadata service"],
    ['64:ff9b:1::10.0.0.1', 'a local NAT64 address'],
    ['64:ff9b:1:7f00:0:100::', 'a local NAT64 address'],
    ['fd20:ce::254', "a cloud's metadata service"],
  ])('%s: %s', (address, what) => {
    expect(forbiddenTarget(address)).toBe(what);
  });

  test.each([
    '10.0.0.1',
    '100.100.100.201',
    '126.255.255.255',
    '128.0.0.1',
    '169.253.255.255',
    '192.168.0.1',
    '::ffff:10.0.0.1',
    '64:ff9b::10.0.0.1',
    '64:ff9b:2::127.0.0.1',
    '::ffff:0:10.0.0.1',
    '2002:a00:1::127.0.0.1',
    '2001:db8::127.0.0.1',
    'fd00:ec2::255',
    'fec0::1',
    'not an address',
  ])('%s is not one of them', (address) => {
    expect(forbiddenTarget(address)).toBeUndefined();
  });
});

describe('URLs', () => {
  test.each([
    'https://{{value}}/healthz',
    'http://{{value}}',
    'http://{{value}}:8080?a=b',
    'https://{{value}}:8443/{{value}}?x={{value}}#y',
    "https://www.example.com/a/b;c=1,2?q='x'&r=(y)*+!$~@:%20%C3%A4",
    'https://web:8443/',
    'https://_dmarc.1a.example/',
    'http://192.0.2.9/up?{{value}}',
    'http://[2001:db8::9]:9115/probe?target={{value}}',
    'http://localhosts/',
    'http://metadata.example/',
  ])('are accepted: %s', (text) => {
    expect(urlIssue(text)).toBeUndefined();
  });

  const notHost = (host: string) => `not a host: ${host}; write {{value}}, a name or an address`;
  const alone = (address: string) =>
    `${address} would be asked for every value, without knowing which: write {{value}} as the host, or after it`;
  const credentials = 'no credentials in a URL: anyone who may read the object could read them';
  const characters = 'only characters of RFC 3986 in a URL: percent-encode any other as %XX';
  test.each([
    ['HTTP://{{value}}/', 'not a URL of http or https, such as https://{{value}}/healthz'],
    ['file:///etc/passwd', 'not a URL of http or https, such as https://{{value}}/healthz'],
    ['{{value}}/healthz', 'not a URL of http or https, such as https://{{value}}/healthz'],
    ['http://user:secret@{{value}}/', credentials],
    ['http://token@{{value}}/', credentials],
    ['http://www.example.com\\@127.0.0.1/', credentials],
    ['http://{{value}}/a b', characters],
    ['http://{{value}}/"', characters],
    ['http://{{value}}/\\', characters],
    ['http://{{value}}/\n', characters],
    ['http://{{value}}/%2', characters],
    ['http://{{value}}/ä', characters],
    ['http://{{host}}/', characters],
    ['http://%6c%6f%63alhost/', notHost('%6c%6f%63alhost')],
    ['http:///path', notHost('(none)')],
    ['http://a..b/', notHost('a..b')],
    ['http://www.example.com./', notHost('www.example.com.')],
    ['http://-a.example/', notHost('-a.example')],
    ['http://{{value}}.example/', characters.replace(/.*/, notHost('{{value}}.example'))],
    ['http://127.1/', notHost('127.1')],
    ['http://2130706433/', notHost('2130706433')],
    ['http://0x7f000001/', notHost('0x7f000001')],
    ['http://0177.0.0.0x1/', notHost('0177.0.0.0x1')],
    ['http://0177.0.0.01/{{value}}', notHost('0177.0.0.01')],
    ['http://[x]/', notHost('[x]')],
    ['http://[{{value}}]/', notHost('[{{value}}]')],
    ['http://192.0.2.1:/', 'not a host: (none); write {{value}}, a name or an address'],
    ['http://{{value}}:0/', 'not a port: 0'],
    ['http://{{value}}:65536/', 'not a port: 65536'],
    ['http://192.0.2.9/', alone('192.0.2.9')],
    ['http://[2001:db8::9]/', alone('2001:db8::9')],
    ['http://127.0.0.1/{{value}}', '127.0.0.1 is a loopback address, which is never asked'],
    [
      'http://[::ffff:169.254.169.254]/{{value}}',
      '::ffff:169.254.169.254 is a link-local address, which is never asked',
    ],
    ['http://localhost/', 'localhost is never asked'],
    ['http://LOCALHOST/', 'LOCALHOST is never asked'],
    ['http://a.localhost:80/', 'a.localhost is never asked'],
    ['http://metadata/', 'metadata is never asked'],
    ['http://metadata.google.internal/', 'metadata.google.internal is never asked'],
    [
      'http://www.example.com/{{value}}',
      '{{value}} after a name: every value is asked under that name, so leave it out, or write it as the host',
    ],
  ])('are refused: %s', (text, message) => {
    expect(urlIssue(text)).toBe(message);
  });

  test('that are accepted mean the same host to every parser', () => {
    const part = fc.constantFrom(
      'http://',
      'https://',
      '{{value}}',
      '[',
      ']',
      ':',
      '/',
      '?',
      '#',
      '@',
      '%',
      '.',
      '0x7f',
      '127',
      '1',
      'a',
      'localhost',
    );
    fc.assert(
      fc.property(
        fc.array(part, { maxLength: 12 }).map((parts) => `http://${parts.join('')}`),
        (text) => {
          fc.pre(urlIssue(text) === undefined);
          const asked = new URL(text.replaceAll('{{value}}', '198.51.100.1'));
          const written = /^https?:\/\/(\[[^\]]*\]|[^/:?#]*)/.exec(text)?.[1]?.replace('{{value}}', '198.51.100.1');
          expect(asked.hostname.toLowerCase()).toBe(written?.toLowerCase());
          expect([asked.username, asked.password]).toEqual(['', '']);
        },
      ),
      { numRuns: 20_000 },
    );
  });
});
