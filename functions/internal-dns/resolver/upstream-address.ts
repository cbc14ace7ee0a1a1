import { isIP } from 'node:net';

export interface UpstreamAddress {
  ip: string;
  port?: number;
}

/** An IP address, optionally with a port, before which an IPv6 address has brackets. Undefined if it is none. */
export function parseUpstreamAddress(text: string): UpstreamAddress | undefined {
  const [, bracketed, plain, port] =
    /^(?:\[(.*)\]|([0-9.]+|.*:.*:.*))(?::([0-9]+))?$/.exec(isIP(text) === 6 ? `[${text}]` : text) ?? [];
  const ip = bracketed ?? plain ?? '';
  if (isIP(ip) !== (bracketed === undefined ? 4 : 6) || Number(port ?? 1) > 65_535) return undefined;
  return { ip, ...(port !== undefined && { port: Number(port) }) };
}
