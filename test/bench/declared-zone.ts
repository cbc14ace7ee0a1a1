/** A zone of many hosts, in each form in which it can be declared. */
import type { Declaration } from '../../functions/contract/declaration.ts';
import type { DeclaredRecord } from '../../functions/dns/record.ts';
import { declarationWith } from '../contract/declared.ts';

export const zone = 'bench.internal';

/** A host's name in the zone, and its address. */
export type Host = [name: string, address: string];

/** `count` hosts with different addresses. */
export const hostsOf = (count: number): Host[] =>
  Array.from({ length: count }, (_, i) => [`h${i}`, `10.0.${i >> 8}.${i & 255}`]);

/** The same hosts, one of which has an address that it never had before. */
export const changed = (hosts: Host[], change: number): Host[] =>
  hosts.with(change % hosts.length, [hosts[change % hosts.length]![0], `10.1.${change >> 8}.${change & 255}`]);

export const asRecords = (hosts: Host[]): DeclaredRecord[] =>
  hosts.map(([name, address]) => ({ name, type: 'A', values: [address] }));

export const asZoneFile = (hosts: Host[]): string => hosts.map(([name, address]) => `${name} A ${address}\n`).join('');

/** The declaration of an InternalDNS with only this zone. */
export const declarationOf = (content: Pick<Declaration['zones'][number], 'records' | 'recordsFrom'>): Declaration =>
  declarationWith({
    name: 'bench',
    zones: [{ name: zone, nameServers: [], ...content }],
    addresses: ['127.0.0.1'],
  });
