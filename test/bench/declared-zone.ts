/** A zone of many hosts, in each of the forms in which it can be declared. */
import type { Declaration } from '../../functions/contract/declaration.ts';
import type { DeclaredRecord } from '../../functions/dns/record.ts';
import { declarationWith } from '../contract/declared.ts';

export const zone = 'bench.internal';

/** A host's name in the zone, and its address. */
export type Host = [name: string, address: string];

/** `count` hosts with addresses of their own. */
export const hostsOf = (count: number): Host[] =>
  Array.from({ length: count }, (_, i) => [`h${i}`, `10.0.${i >> 8}.${i & 255}`]);

/** The same hosts, and one of them at an address that it never had: the `change`th. */
export const changed = (hosts: Host[], change: number): Host[] =>
  hosts.with(change % hosts.length, [hosts[change % hosts.length]![0], `10.1.${change >> 8}.${change & 255}`]);

export const asRecords = (hosts: Host[]): DeclaredRecord[] =>
  hosts.map(([name, address]) => ({ name, type: 'A', values: [address] }));

export const asZoneFile = (hosts: Host[]): string => hosts.map(([name, address]) => `${name} A ${address}\n`).join('');

/** What an InternalDNS declares that has nothing but this zone. */
export const declarationOf = (content: Pick<Declaration['zones'][number], 'records' | 'recordsFrom'>): Declaration =>
  declarationWith({
    name: 'bench',
    zones: [{ name: zone, nameServers: [], ...content }],
    addresses: ['127.0.0.1'],
  });
