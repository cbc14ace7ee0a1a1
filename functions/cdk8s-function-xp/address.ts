import { once } from 'node:events';
import type { Server } from 'node:net';

/** Where a server listens. */
export interface Address {
  host: string;
  port: number;
}

/** Reads `HOST:PORT`; an IPv6 host stands in brackets, no host means every address of the machine. */
export function parseAddress(text: string): Address {
  const [, bracketed, plain, digits] = /^(?:\[([^\]]+)\]|([^:[\]]*)):(\d+)$/.exec(text) ?? [];
  const port = Number(digits);
  if (digits === undefined || port > 65535) throw new Error(`cannot read the address ${text}: want HOST:PORT`);
  return { host: bracketed ?? (plain || '::'), port };
}

/** The inverse of `parseAddress`. */
export function formatAddress({ host, port }: Address): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/** Binds `server` and returns the address it got, with the port that 0 stood for. `::` takes IPv4 too, and all a machine without IPv6 has. */
export async function listen(server: Server, address: Address): Promise<Address> {
  try {
    server.listen(address.port, address.host);
    await once(server, 'listening');
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const noIPv6 = code === 'EAFNOSUPPORT' || code === 'EADDRNOTAVAIL';
    if (noIPv6 && address.host === '::') return listen(server, { ...address, host: '0.0.0.0' });
    throw new Error(`cannot listen on ${formatAddress(address)}: ${message}`, { cause: error });
  }
  const bound = server.address();
  return bound !== null && typeof bound === 'object' ? { host: bound.address, port: bound.port } : address;
}
