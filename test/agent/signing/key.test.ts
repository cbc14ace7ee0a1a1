import { inspect } from 'node:util';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Algorithm, dsOf, SigningKey } from '../../../functions/agent/signing/key.ts';

const algorithms: Algorithm[] = ['ECDSA256', 'ECDSA384', 'ED25519'];
const isc = (algorithm: string, secret: string) =>
  `Private-key-format: v1.2\nAlgorithm: ${algorithm}\nPrivateKey: ${secret}\n`;

// RFC 6605 sections 6.1 and 6.2 (whose DS is with SHA-384: only its key tag holds here), RFC 8080 section 6.1.
const published = [
  {
    zone: 'example.net',
    text: isc('13 (ECDSAP256SHA256)', 'GU6SnQ/Ou+xC5RumuIUIuJZteXT2z0O/ok1s38Et6mQ='),
    dnskey: '257 3 13 GojIhhXUN/u4v54ZQqGSnyhWJwaubCvTmeexv7bR6edbkrSqQpF64cYbcB7wNcP+e+MAnLr+Wi9xMWyQLc8NAA==',
    ds: /^55648 13 2 b4c8c1fe2e7477127b27115656ad6256f424625bf5c1e2770ce6d6e37df61d17$/,
  },
  {
    zone: 'example.net',
    text: isc('14 (ECDSAP384SHA384)', 'WURgWHCcYIYUPWgeLmiPY2DJJk02vgrmTfitxgqcL4vwW7BOrbawVmVe0d9V94SR'),
    dnskey:
      '257 3 14 xKYaNhWdGOfJ+nPrL8/arkwf2EY3MDJ+SErKivBVSum1w/egsXvSADtNJhyem5RCOpgQ6K8X1DRSEkrbYQ+OB+v8/uX45NBwY8rp65F6Glur8I/mlVNgF6W/qTI37m40',
    ds: /^10771 14 2 /,
  },
  {
    zone: 'example.com',
    text: isc('15 (ED25519)', 'ODIyNjAzODQ2MjgwODAxMjI2NDUxOTAyMDQxNDIyNjI='),
    dnskey: '257 3 15 l02Woi0iS8Aa25FQkUd9RMzZHJpBoRQwAQEX1SxZJA4=',
    ds: /^3613 15 2 3aa5ab37efce57f737fc1627013fee07bdf241bd10f3b1964ab55c78e79a304b$/,
  },
];

describe('a key', () => {
  test.each(published)('of an RFC gives its DNSKEY and DS: $dnskey', ({ zone, text, dnskey, ds }) => {
    const key = SigningKey.parse(text);
    expect(key.dnskey).toBe(dnskey);
    expect(key.text()).toBe(text);
    for (const name of [zone, `${zone}.`, zone.toUpperCase()]) expect(dsOf(name, dnskey)).toMatch(ds);
  });

  test.each(algorithms)('is unique, and survives the round trip: %s', (algorithm) => {
    const keys = Array.from({ length: 20 }, () => SigningKey.generate(algorithm));
    expect(new Set(keys.map(({ dnskey }) => dnskey)).size).toBe(20);
    for (const key of keys) {
      const { dnskey } = SigningKey.parse(key.text());
      expect({ algorithm: key.algorithm, dnskey }).toEqual({ algorithm, dnskey: key.dnskey });
    }
  });

  test.each(['ECDSA256', 'ECDSA384'] as const)('keeps its leading zeros: %s', (algorithm) => {
    const number = { ECDSA256: '13', ECDSA384: '14' }[algorithm];
    const short = SigningKey.parse(isc(number, Buffer.from([1, 2, 3]).toString('base64')));
    const whole = Buffer.from(/PrivateKey: (.*)/.exec(short.text())?.[1] ?? '', 'base64');
    expect([...whole.subarray(-4)]).toEqual([0, 1, 2, 3]);
    expect(whole).toHaveLength({ ECDSA256: 32, ECDSA384: 48 }[algorithm]);
    expect(SigningKey.parse(short.text()).dnskey).toBe(short.dnskey);
  });

  test('has its full length when it is created, as one of 256 begins with a zero', () => {
    const texts = Array.from({ length: 2000 }, () => SigningKey.generate('ECDSA256').text());
    expect(new Set(texts.map((text) => text.length)).size).toBe(1);
  });

  test('does not show its private part', () => {
    for (const algorithm of algorithms) {
      const key = SigningKey.generate(algorithm);
      const secret = /PrivateKey: (.*)/.exec(key.text())?.[1] ?? '';
      expect(secret.length).toBeGreaterThan(40);
      const shown = [
        JSON.stringify(key),
        inspect(key, { depth: 9, showHidden: true }),
        `${key}`,
        JSON.stringify({ ...key }),
      ];
      for (const text of shown) expect(text).not.toContain(secret);
    }
  });
});

describe('an invalid key', () => {
  const secret = 'GU6SnQ/Ou+xC5RumuIUIuJZteXT2z0O/ok1s38Et6mQ=';
  test.each([
    ['', 'ECDSAP256SHA256, ECDSAP384SHA384, ED25519'],
    ['Algorithm', 'ECDSAP256SHA256, ECDSAP384SHA384, ED25519'],
    [isc('8 (RSASHA256)', secret), 'ECDSAP256SHA256, ECDSAP384SHA384, ED25519'],
    [isc('13', ''), 'ECDSAP256SHA256'],
    [isc('13', `${secret}!`), 'ECDSAP256SHA256'],
    [isc('13', Buffer.alloc(32).toString('base64')), 'ECDSAP256SHA256'],
    [isc('13', Buffer.alloc(32, 255).toString('base64')), 'ECDSAP256SHA256'],
    [isc('13', Buffer.alloc(33, 1).toString('base64')), 'ECDSAP256SHA256'],
    [isc('15', Buffer.alloc(31, 1).toString('base64')), 'ED25519'],
    ['Algorithm: 15\n', 'ED25519'],
  ])('is rejected with the same message: %j', (text, algorithms) => {
    expect(() => SigningKey.parse(text)).toThrow(new Error(`not a private key of ${algorithms}`));
  });

  test('is never quoted', () => {
    fc.assert(
      fc.property(fc.base64String({ minLength: 24 }), fc.constantFrom('13', '14', '15', '8'), (text, algorithm) => {
        try {
          SigningKey.parse(isc(algorithm, text));
        } catch (error) {
          expect(`${error} ${(error as Error).cause}`).not.toContain(text);
        }
      }),
    );
  });
});
