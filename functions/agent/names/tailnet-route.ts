import { inNetworks } from '../lib/networks.ts';

/** Private addresses (RFC 1918, RFC 4193): a machine elsewhere has no route to them of its own. */
const isPrivate = inNetworks(['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', 'fc00::/7']);

/** https://tailscale.com/kb/1033/ip-and-dns-addresses; the IPv4 addresses of a tailnet are not private. */
const isOfTailnet = inNetworks(['fd7a:115c:a1e0::/48']);

/** Whether an answer, such as `A 192.168.0.7`, is an address that a client in a tailnet reaches by a subnet router only. */
export function isBehindSubnetRouter(answer: string): boolean {
  const [type, address = ''] = answer.split(' ');
  return (type === 'A' || type === 'AAAA') && isPrivate(address) && !isOfTailnet(address);
}
