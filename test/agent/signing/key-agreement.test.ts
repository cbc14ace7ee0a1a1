import { describe, expect, test } from 'vitest';
import { dsOf, SigningKey } from '../../../functions/agent/signing/key.ts';
import { nextStep, requireAlgorithm, type Step } from '../../../functions/agent/signing/key-agreement.ts';

const zone = 'corp.internal';
const secret = 'Secret idns-corp-dnssec';
const [one, other] = Array.from({ length: 2 }, () => SigningKey.generate('ECDSA256').dnskey) as [string, string];
const [ds, otherDS] = [dsOf(zone, one), dsOf(zone, other)];
const step = (stored: string | undefined, installed: string[], published: string[]) =>
  nextStep({ zone, stored, installed, ds: published, secret });

describe('of a zone’s keys', () => {
  test.each<[Step, string | undefined, string[], string[]]>([
    ['generate', undefined, [], []],
    ['install', one, [], []],
    ['install', one, [], [ds]],
    ['mirror', undefined, [one], []],
    ['mirror', undefined, [one], [ds]],
    ['keep', one, [one], []],
    ['keep', one, [one], [ds]],
    ['keep', one, [one, one], [ds]],
    ['keep', one, [one], [otherDS, ds.toUpperCase().replace(/(.{30})$/, ' $1 ')]],
  ])('%s follows where the store has %s, PowerDNS has %j and %j is published', (expected, stored, installed, ds) => {
    expect(step(stored, installed, ds)).toBe(expected);
  });

  test.each<[string, string | undefined, string[], string[]]>([
    [`the key of ${zone} is gone, and it was published with DS ${ds}: restore the ${secret}`, undefined, [], [ds]],
    [`has another key for ${zone} than PowerDNS, with DS ${ds} and not ${otherDS}`, one, [other], []],
    [`has another key for ${zone} than PowerDNS`, one, [other], [ds]],
    [`has another key for ${zone} than PowerDNS`, one, [other], [otherDS]],
    [`PowerDNS has several keys for ${zone}, with DS ${ds}, ${otherDS}`, undefined, [one, other], []],
    ['PowerDNS has several keys', one, [one, other], [ds]],
    [`in ${secret} has DS ${ds}, and the zone was published with DS ${otherDS}`, one, [], [otherDS]],
    [`in ${secret} has DS ${ds}, and`, one, [one], [otherDS]],
    [`in PowerDNS has DS ${ds}, and`, undefined, [one], [otherDS]],
  ])('the message is “%s”', (message, stored, installed, ds) => {
    expect(() => step(stored, installed, ds)).toThrow(message);
    expect(() => step(stored, installed, ds)).toThrow(/set dnssec.mode to Unsigning, .* Off to start anew$/);
  });
});

describe('an algorithm', () => {
  test('is the declared one', () => {
    expect(requireAlgorithm(zone, one, 'ECDSA256')).toBeUndefined();
  });

  test.each([
    [one, 'ED25519', 'the key of corp.internal is of ECDSA256, and a rollover to ED25519 is not supported'],
    ['257 3 8 AwEAAarb', 'ECDSA256', 'the key of corp.internal is of algorithm 8, and a rollover to ECDSA256'],
  ] as const)('is not exchanged: of %s for %s', (dnskey, declared, message) => {
    expect(() => requireAlgorithm(zone, dnskey, declared)).toThrow(message);
  });
});
