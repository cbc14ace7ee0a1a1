import { absolute, withoutDot } from '../../dns/name.ts';
import { ptrLocation, reverseName, usualZone } from '../../dns/zone/reverse.ts';
import { byAge } from '../sources/age.ts';
import type { Identity } from '../sources/own-object.ts';
import type { PTRSource } from '../zones/ptr-records.ts';
import type { TranslatedMachine } from './machine-records.ts';

/** Who else has an address: an Ingress, a Service. */
export type AddressHolder = Pick<Identity, 'resource' | 'created'>;

export interface ReverseContext {
  /** All zones, by their absolute names. */
  zones: ReadonlyMap<string, unknown>;
  /** The oldest of the other objects whose records have an address, if their PTR records are published. */
  holderOf: (address: string) => AddressHolder | undefined;
}

/** The PTR record of one address of a Machine. */
export interface ReverseFinding {
  address: string;
  /** Name of the PTR record. */
  name: string;
  /** Why it does not exist, or names another host. */
  message?: string;
}

export interface Reverse {
  /** As zones/ptr-records.ts takes them. */
  sources: PTRSource[];
  /** By Machine. */
  findings: ReadonlyMap<string, readonly ReverseFinding[]>;
}

/**
 * Chooses the name of each address's PTR record: that of the oldest object that has it.
 * @param machines those whose names are published
 */
export function reverseOf(machines: readonly TranslatedMachine[], { zones, holderOf }: ReverseContext): Reverse {
  const sources: Reverse['sources'] = [];
  const findings = new Map<string, ReverseFinding[]>();
  const taken = new Map<string, Identity>();
  const names = new Map(zones.keys().map((name) => [name, name]));
  const published = machines.filter(({ machine }) => machine.spec.reverse === 'Publish');
  for (const { machine, addresses, finding } of published.toSorted((a, b) => byAge(a.machine, b.machine))) {
    const { fqdn } = finding;
    if (fqdn === undefined) continue;
    const ofMachine = addresses.map((address): ReverseFinding => {
      const location = ptrLocation(address, names);
      const name = withoutDot(location?.name ?? reverseName(address));
      if (!location) return { address, name, message: missing(address) };
      const other = older(machine, taken.get(address), holderOf(address));
      if (other)
        return {
          address,
          name,
          message: `${other.resource} has this address and is older: its name is in the PTR record`,
        };
      taken.set(address, machine);
      sources.push({ address, name: absolute(fqdn) });
      return { address, name };
    });
    if (ofMachine.length > 0) findings.set(machine.resource, ofMachine);
  }
  return { sources, findings };
}

function older(machine: Identity, first: Identity | undefined, other: AddressHolder | undefined) {
  if (first) return first;
  const isOlder = other && `${other.created} ${other.resource}` < `${machine.created} ${machine.resource}`;
  return isOlder ? other : undefined;
}

const missing = (address: string) =>
  `no zone for its PTR record: declare ${withoutDot(usualZone(address))}, or one above it`;
