/** Machines, claims and the cluster around them. */
import { inNetworks } from '../../../functions/agent/lib/networks.ts';
import type { Translated } from '../../../functions/agent/machines/translated.ts';
import { type Translation, type TranslationInput, translate } from '../../../functions/agent/machines/translation.ts';
import {
  type Machine,
  type Malformed,
  machineOf,
  type NameClaim,
  nameClaimOf,
  type ZoneObject,
  zoneObjectOf,
} from '../../../functions/agent/sources/own-object.ts';

type Fields = Record<string, unknown>;

interface Meta {
  namespace?: string;
  labels?: Record<string, string>;
  /** Seconds after the first object. */
  age?: number;
}

const metadata = (name: string, { namespace = 'a', labels = {}, age = 0 }: Meta) => ({
  ...{ name, namespace, labels, uid: `uid-${namespace}-${name}`, generation: 1 },
  creationTimestamp: new Date(Date.UTC(2026, 0, 1) + age * 1000).toISOString(),
});

/** @param addresses separated by blanks */
export const machine = (
  name: string,
  addresses = '',
  { spec = {}, ...meta }: Meta & { spec?: Fields } = {},
): Machine | Malformed =>
  machineOf({
    metadata: metadata(name, meta),
    spec: { addresses: addresses.split(' ').filter((text) => text !== ''), ...spec },
  });

export const claim = (name: string, spec: Fields, meta: Meta = {}): NameClaim | Malformed =>
  nameClaimOf({ metadata: metadata(name, meta), spec });

/** A Zone: its name is that of the zone, as far as an object's name can be. */
export const zoneObject = (name: string, spec: Fields = {}, meta: Meta = {}): ZoneObject | Malformed =>
  zoneObjectOf({ metadata: metadata(name.replaceAll('/', '-'), meta), spec: { name, ...spec } });

export const zones = new Map([
  ['corp.internal.', false],
  ['signed.internal.', true],
  ['2.0.192.in-addr.arpa.', false],
]);

export const translationOf = (input: Partial<TranslationInput>): Translation =>
  translate({
    machines: [],
    claims: [],
    labelsOf: (namespace) => ({ team: namespace }),
    zones,
    tenants: [],
    mayHave: () => true,
    isOfService: inNetworks(['10.96.0.0/12']),
    computes: true,
    checksLeft: 1000,
    ...input,
  });

/** Endpoints as text: `mail.corp.internal A 192.0.2.1 192.0.2.2 30`. */
export const endpointsIn = (translated: Pick<Translated, 'endpoints'> | undefined): string[] =>
  (translated?.endpoints ?? []).map(({ dnsName, recordType, targets, recordTTL }) =>
    [dnsName, recordType, ...targets, ...(recordTTL ? [recordTTL] : [])].join(' '),
  );

const ofResource = (resource: string) => (each: Translated) => each.object.resource === resource;

export const find = ({ machines, others }: Translation, resource: string): Translated => {
  const found = [...machines, ...others].find(ofResource(resource));
  if (!found) throw new Error(`there is no ${resource}`);
  return found;
};

export const tenant = (team: string, machines: Fields = {}, names: string[] = [], zones?: string[]) => ({
  namespaceSelector: { matchLabels: { team } as Record<string, string> },
  names,
  ...(zones && { zones }),
  machines: { networks: [], selectableBy: 'SelectableByNamespace' as const, checks: 'Port' as const, ...machines },
});
