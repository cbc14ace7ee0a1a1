import { BlockList, isIP, isIPv4, isIPv6 } from 'node:net';
import { parseDuration } from './duration.ts';

/** Replaced with the address that is checked. */
export const placeholder = '{{value}}';

/** PowerDNS runs a thread for each check in progress, and exits if it cannot create another one. */
export const maxChecks = 1000;

/** A Go duration in whole seconds, the only ones that PowerDNS knows; NaN for any other text. */
export function wholeSeconds(duration: string): number {
  const milliseconds = parseDuration(duration, 'whole', 'ms');
  return milliseconds % 1000 === 0 ? milliseconds / 1000 : Number.NaN;
}

/** The seconds between two checks of an address, and the timeout of one. */
export function checkTimes({ interval, timeout }: { interval?: string | undefined; timeout?: string | undefined }) {
  const every = wholeSeconds(interval ?? '5s');
  return { interval: every, timeout: timeout === undefined ? Math.min(2, every) : wholeSeconds(timeout) };
}

// Checks run inside the pod: they must not reveal listeners that only the pod can reach.
const forbiddenIPv4: [network: string, prefix: number, what: string][] = [
  ['0.0.0.0', 8, 'an unspecified address'],
  ['127.0.0.0', 8, 'a loopback address'],
  ['169.254.0.0', 16, 'a link-local address'],
  ['224.0.0.0', 4, 'a multicast address'],
  ['255.255.255.255', 32, 'the broadcast address'],
  ['100.100.100.200', 32, "a cloud's metadata service"],
  ['168.63.129.16', 32, "a cloud's metadata service"],
  ['192.0.0.192', 32, "a cloud's metadata service"],
];

const forbiddenIPv6: typeof forbiddenIPv4 = [
  ['::', 128, 'an unspecified address'],
  ['::1', 128, 'a loopback address'],
  ['fe80::', 10, 'a link-local address'],
  ['ff00::', 8, 'a multicast address'],
  ['fd00:ec2::254', 128, "a cloud's metadata service"],
  // https://docs.aws.amazon.com/eks/latest/userguide/pod-id-agent-setup.html
  ['fd00:ec2::23', 128, "a cloud's metadata service"],
  ['fd20:ce::254', 128, "a cloud's metadata service"],
  // RFC 8215: only the network knows where in it the IPv4 address is.
  ['64:ff9b:1::', 48, 'a local NAT64 address'],
];

/**
 * Prefixes of IPv6 addresses that end with an IPv4 address: RFC 4291 section 2.5.5, RFC 6052 section 2.1 (NAT64) and
 * RFC 2765 section 2.1.
 */
const embeddings = ['::ffff:', '::', '64:ff9b::', '::ffff:0:'];

/** 6to4 addresses have the IPv4 address after their first group: RFC 3056 section 2. */
const in6to4 = (network: string) => {
  const [a = 0, b = 0, c = 0, d = 0] = network.split('.').map(Number);
  return `2002:${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}::`;
};

const forbidden = [...forbiddenIPv6, ...forbiddenIPv4].map(([network, prefix, what]) => {
  const list = new BlockList();
  if (isIPv6(network)) list.addSubnet(network, prefix, 'ipv6');
  else {
    list.addSubnet(network, prefix, 'ipv4');
    for (const embedding of embeddings) list.addSubnet(embedding + network, 96 + prefix, 'ipv6');
    list.addSubnet(in6to4(network), 16 + prefix, 'ipv6');
  }
  return { list, what };
});

/** What makes an address one that must not be checked, such as `a loopback address`. */
export function forbiddenTarget(address: string): string | undefined {
  const family = isIPv6(address) ? 'ipv6' : 'ipv4';
  return isIP(address) ? forbidden.find(({ list }) => list.check(address, family))?.what : undefined;
}

const urlForm = /^(?<scheme>https?):\/\/(?<authority>[^/?#]*)(?<rest>.*)$/s;
// RFC 3986 appendix A.
const urlText = /^(?:[A-Za-z0-9\-._~:/?#[\]@!$&'()*+,;=]|%[0-9A-Fa-f]{2})*$/;
const authorityForm = /^(?<host>\{\{value\}\}|\[[^\]]*\]|[^:[\]]*)(?::(?<port>[0-9]{1,5}))?$/;
const hostName =
  /^(?=.{1,253}$)[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?)*$/i;

/**
 * The issue of the URL of a check. Its host decides who is asked: `{{value}}`, or a name that all values serve, asks
 * the values themselves; an address asks a monitor elsewhere, which learns from `{{value}}` in the rest which one is
 * meant.
 */
export function urlIssue(url: string): string | undefined {
  const { authority = '', rest = '' } = urlForm.exec(url)?.groups ?? {};
  if (!urlForm.test(url)) return `not a URL of http or https, such as https://${placeholder}/healthz`;
  if (authority.includes('@')) return 'no credentials in a URL: anyone who may read the object could read them';
  if (!urlText.test(url.replaceAll(placeholder, ''))) {
    return 'only characters of RFC 3986 in a URL: percent-encode any other as %XX';
  }
  const { host = '', port = '80' } = authorityForm.exec(authority)?.groups ?? {};
  if (Number(port) < 1 || Number(port) > 65_535) return `not a port: ${port}`;
  if (host === placeholder) return undefined;
  const address = host.replace(/^\[(.*)\]$/, '$1');
  const isAddress = host.startsWith('[') ? isIPv6(address) : isIPv4(address);
  return isAddress ? addressHostIssue(address, rest) : namedHostIssue(host, rest);
}

function addressHostIssue(address: string, rest: string): string | undefined {
  const what = forbiddenTarget(address);
  if (what) return `${address} is ${what}, which is never asked`;
  if (rest.includes(placeholder)) return undefined;
  return `${address} would be asked for every value, without knowing which: write ${placeholder} as the host, or after it`;
}

function namedHostIssue(host: string, rest: string): string | undefined {
  // curl reads a host that ends in a number as an address, in any base: 127.1, 0x7f000001. https://url.spec.whatwg.org/#ends-in-a-number-checker
  if (!hostName.test(host) || /(^|\.)([0-9]+|0x[0-9a-f]*)$/i.test(host)) {
    return `not a host: ${host || '(none)'}; write ${placeholder}, a name or an address`;
  }
  if (/(^|\.)localhost$|^metadata(\.google\.internal)?$/i.test(host)) return `${host} is never asked`;
  if (!rest.includes(placeholder)) return undefined;
  return `${placeholder} after a name: every value is asked under that name, so leave it out, or write it as the host`;
}
