import { isIPv4 } from 'node:net';
import { mostTargets } from '../../contract/declaration.ts';
import { absolute, withoutDot } from '../../dns/name.ts';
import type { Endpoint } from '../discovery/endpoint.ts';
import { canonicalAddress, keyOf } from '../powerdns/rrset.ts';
import type { Identity } from '../sources/own-object.ts';
import type { Part, SourceObject } from '../sources/source-object.ts';
import type { ComputedAnswer } from './computed-answer.ts';
import type { Rights } from './tenant-rights.ts';

/** What one object asks for, and what there is to say of it in its status. */
export interface Translated {
  object: Identity;
  /** The absolute names that it asks for, whether or not it has addresses for them. */
  hosts: readonly string[];
  /** In a fixed order. Empty with a refusal. */
  endpoints: readonly Endpoint[];
  /** By `mail.corp.internal. A`, for the endpoints that are computed. */
  answers: ReadonlyMap<string, ComputedAnswer>;
  finding: Finding;
}

export interface Finding {
  /** Why nothing of the object is published, and what to change. */
  refusal?: string;
  /** Whether it is refused only until something is known. */
  isTemporary?: boolean;
  /** What is left out of what it asks for, and why. */
  notes: readonly string[];
  /** Of a Machine: its full name. */
  fqdn?: string;
  /** Of a Machine: the claims that it is a member of, as namespace/name. */
  claims?: readonly string[];
  /** Of a claim, the oldest Machines first. */
  members?: readonly Member[];
}

/** A member of a claim. */
export interface Member {
  /** As namespace/name; absent for the addresses of the claim itself. */
  machine?: string;
  addresses: readonly string[];
  /** Its own name by the template. */
  name?: string;
}

export const refused = (
  object: Identity,
  refusal: string,
  { hosts = [], ...more }: Partial<Finding & Pick<Translated, 'hosts'>> = {},
): Translated => ({
  object,
  hosts,
  endpoints: [],
  answers: new Map(),
  finding: { notes: [], ...more, refusal },
});

/** Returns the addresses that an object can have, in canonical form, and what to say of the others. */
export function permitted(
  addresses: readonly string[],
  { namespace }: Identity,
  { allows, networks }: Rights,
): { addresses: string[]; notes: string[] } {
  const canonical = [...new Set(addresses.map(canonicalAddress))];
  const beyond = canonical.filter((address) => !allows(address));
  const note = `left out ${beyond.join(', ')}: namespace ${namespace} can have addresses in ${networks} only (discovery.tenants)`;
  return beyond.length === 0
    ? { addresses: canonical, notes: [] }
    : { addresses: canonical.filter(allows), notes: [note] };
}

/** The endpoints of a host, by family. */
export const hostEndpoints = (
  name: string,
  addresses: readonly string[],
  { resource }: Identity,
  ttl?: number,
): Endpoint[] =>
  (['A', 'AAAA'] as const).flatMap((recordType) => {
    const targets = addresses.filter((address) => isIPv4(address) === (recordType === 'A')).slice(0, mostTargets);
    if (targets.length === 0) return [];
    return [{ dnsName: withoutDot(name), targets, recordType, ...(ttl && { recordTTL: ttl }), labels: { resource } }];
  });

/** What the object is to verdicts, conflicts and the delete guard: one of many that ask for hosts. */
export function sourceObjectOf({ object, hosts, endpoints, finding }: Translated): SourceObject {
  const parts = new Map<string, Part>();
  for (const { dnsName, recordType, targets, recordTTL: ttl } of endpoints) {
    const contents = recordType === 'CNAME' ? targets.map(absolute) : targets;
    parts.set(keyOf({ name: absolute(dnsName), type: recordType }), { targets: contents, ...(ttl && { ttl }) });
  }
  // A host without an address is one that waits for an address.
  for (const name of hosts) {
    if (!endpoints.some(({ dnsName }) => absolute(dnsName) === name))
      parts.set(keyOf({ name, type: 'A' }), { targets: [] });
  }
  const { resource, namespace, uid, created } = object;
  const { refusal, isTemporary } = finding;
  return {
    ...{ resource, namespace, uid, created },
    hosts,
    ...(refusal !== undefined && { filteredBy: refusal, ...(isTemporary ? { isUnready: true } : { isRefused: true }) }),
    targets: [...new Set([...parts.values()].flatMap(({ targets = [] }) => targets))],
    parts,
  };
}
