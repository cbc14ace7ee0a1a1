import { isIP } from 'node:net';
import type { HostList, ListedHost } from './list.ts';

/**
 * Reads a lease file of dnsmasq: expiry, MAC address, address, name and client ID on each line. A host with leases of both
 * families, or several, becomes one.
 * https://thekelleys.org.uk/gitweb/?p=dnsmasq.git;a=blob;f=src/lease.c (lease_update_file)
 */
export function parseDnsmasq(text: string): HostList {
  const hosts = new Map<string, ListedHost & { spec: { addresses: string[] } }>();
  const list: HostList = { hosts: [], faults: [], skipped: [] };
  for (const [index, content] of text.split(/\r?\n/).entries()) {
    const line = index + 1;
    const [expiry = '', , address = '', name = ''] = content.trim().split(/\s+/);
    // The server's own identifier, before the leases of IPv6.
    if (content.trim() === '' || expiry === 'duid') continue;
    if (!/^[0-9]+$/.test(expiry) || isIP(address) === 0 || name === '') {
      list.faults.push({ line, message: 'no lease of dnsmasq: expiry, MAC address, address and name' });
    } else if (name === '*') list.skipped.push({ line, message: `${address} has told no name` });
    else {
      const host = hosts.get(name.toLowerCase()) ?? { line, name, spec: { addresses: [] } };
      hosts.set(name.toLowerCase(), host);
      host.spec.addresses.push(address);
    }
  }
  return { ...list, hosts: [...hosts.values()] };
}
