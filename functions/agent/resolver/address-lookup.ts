import type { Resolver } from 'node:dns/promises';
import { BlockList, isIPv6 } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseIPv6 } from '../../dns/rdata/address.ts';
import type { Absence, FamilyAnswer, HostNameAnswer } from './host-name-state.ts';
import { podResolver } from './pod-resolver.ts';

/** Resolves an absolute name to its addresses. Never rejects. */
export type AddressLookup = (name: string) => Promise<HostNameAnswer>;

export interface AddressLookupOptions {
  /** By default the servers in /etc/resolv.conf. */
  resolver?: Pick<Resolver, 'resolve4' | 'resolve6'>;
  /** After so long a name counts as not answered, however many servers there are. Milliseconds. */
  timeoutMs?: number;
}

/**
 * Looks up IPv4 and IPv6 addresses at the same time. The resolver follows CNAMEs, and gives the lowest TTL of the chain.
 * Search domains do not apply: Node calls ares_query, not ares_search.
 * https://github.com/nodejs/node/blob/v24.0.0/src/cares_wrap.h (AresQuery)
 */
export function addressLookup({
  resolver = podResolver(),
  timeoutMs = 8_000,
}: AddressLookupOptions = {}): AddressLookup {
  return async (name) => {
    const [A, AAAA] = await Promise.all([
      answerOf(resolver.resolve4(name, { ttl: true }), timeoutMs),
      answerOf(resolver.resolve6(name, { ttl: true }), timeoutMs),
    ]);
    return { A, AAAA };
  };
}

async function answerOf(
  response: Promise<{ address: string; ttl: number }[]>,
  timeoutMs: number,
): Promise<FamilyAnswer> {
  const inTime = new AbortController();
  const tooLate = sleep(timeoutMs, { failure: noAnswer }, { signal: inTime.signal }).catch(() => ({
    failure: noAnswer,
  }));
  const answer = await Promise.race([response.then(readRecords, readError), tooLate]);
  inTime.abort();
  return answer;
}

function readRecords(records: readonly { address: string; ttl: number }[]): FamilyAnswer {
  const usable = records.filter(({ address }) => isUsable(address));
  if (usable.length === 0) return absent(records.length > 0 ? 'Unusable' : 'NoAddress');
  const addresses = usable.map(({ address }) => (isIPv6(address) ? parseIPv6(address) : address));
  return { addresses, ttl: Math.min(...usable.map(({ ttl }) => ttl)) };
}

/** https://nodejs.org/docs/latest-v24.x/api/dns.html#error-codes */
function readError({ code = 'an unknown error' }: NodeJS.ErrnoException): FamilyAnswer {
  if (code === 'ENOTFOUND') return absent('Absent');
  if (code === 'ENODATA') return absent('NoAddress');
  return { failure: failures[code] ?? code };
}

const absent = (absence: Absence): FamilyAnswer => ({ addresses: [], absence });

const noAnswer = 'no answer';

const failures: Readonly<Record<string, string>> = {
  ESERVFAIL: 'SERVFAIL',
  EREFUSED: 'REFUSED',
  ETIMEOUT: noAnswer,
  ECONNREFUSED: 'connection refused',
};

/**
 * Addresses that mean the client itself, its link, or nobody. Whoever has the zone of a public name chooses its addresses,
 * and is not who created the object. Private addresses are what internal load balancers have.
 */
const unusable = { ipv4: new BlockList(), ipv6: new BlockList() };
// https://www.iana.org/assignments/iana-ipv4-special-registry
unusable.ipv4.addSubnet('0.0.0.0', 8);
unusable.ipv4.addSubnet('127.0.0.0', 8);
unusable.ipv4.addSubnet('169.254.0.0', 16);
// Multicast (RFC 5771), reserved addresses and broadcast.
unusable.ipv4.addSubnet('224.0.0.0', 3);
// https://www.iana.org/assignments/iana-ipv6-special-registry
unusable.ipv6.addAddress('::', 'ipv6');
unusable.ipv6.addAddress('::1', 'ipv6');
// In a list of both families this would match every IPv4 address.
unusable.ipv6.addSubnet('::ffff:0:0', 96, 'ipv6');
unusable.ipv6.addSubnet('fe80::', 10, 'ipv6');
unusable.ipv6.addSubnet('ff00::', 8, 'ipv6');

function isUsable(address: string): boolean {
  const family = isIPv6(address) ? 'ipv6' : 'ipv4';
  return !unusable[family].check(address, family);
}
