import type * as z from 'zod';
import { issuePath } from '../../contract/issue-path.ts';
import { type MachineSpec, machineSpec } from '../../contract/kinds/machine.ts';
import { type NameClaimSpec, nameClaimSpec } from '../../contract/kinds/name-claim.ts';
import { type ZoneSpec, zoneSpec } from '../../contract/kinds/zone.ts';
import { sourceResources } from '../../contract/source-kinds.ts';
import { type KubernetesObject, keyOf, type Labels, type ObjectMeta } from '../kubernetes/object.ts';
import { type Aged, byAge } from './age.ts';

/** Which object it is, as everything that is discovered is named. */
export interface Identity extends Aged {
  /** As in ExternalDNS's label `resource`: `machine/shop/nas`. */
  resource: string;
  namespace: string;
  name: string;
  uid: string;
  generation: number;
}

export interface Machine extends Identity {
  labels: Labels;
  spec: MachineSpec;
}

export interface NameClaim extends Identity {
  spec: NameClaimSpec;
}

/** A team's own domain. */
export interface ZoneObject extends Identity {
  spec: ZoneSpec;
}

/** An object that its schema refuses: the API server has accepted more, or has an older CRD. */
export interface Malformed extends Identity {
  /** Why, in a sentence. */
  fault: string;
}

interface CustomObject extends KubernetesObject {
  metadata: ObjectMeta & { generation?: number };
  spec?: unknown;
}

export function machineOf(object: CustomObject): Machine | Malformed {
  const identity = identityOf(sourceResources.Machine.label, object.metadata);
  const { data: spec, error } = machineSpec.safeParse(object.spec);
  return spec ? { ...identity, labels: object.metadata.labels ?? {}, spec } : { ...identity, fault: faultIn(error) };
}

export function nameClaimOf(object: CustomObject): NameClaim | Malformed {
  const identity = identityOf(sourceResources.NameClaim.label, object.metadata);
  const { data: spec, error } = nameClaimSpec.safeParse(object.spec);
  return spec ? { ...identity, spec } : { ...identity, fault: faultIn(error) };
}

export function zoneObjectOf(object: CustomObject): ZoneObject | Malformed {
  const identity = identityOf(sourceResources.Zone.label, object.metadata);
  const { data: spec, error } = zoneSpec.safeParse(object.spec);
  return spec ? { ...identity, spec } : { ...identity, fault: faultIn(error) };
}

export type OwnObject = Machine | NameClaim | ZoneObject | Malformed;

/** The Machines, claims and Zones of the cluster: another object after every change. */
export interface Inventory {
  /** Undefined while the cluster does not serve them, or they cannot be read: nobody knows which claims have which. */
  machines: readonly (Machine | Malformed)[] | undefined;
  claims: readonly (NameClaim | Malformed)[];
  /** `Unknown` while they cannot be read, `Unserved` while the cluster has no such kind, and `Off` if it is no source. */
  zones: readonly (ZoneObject | Malformed)[] | 'Unknown' | 'Unserved' | 'Off';
  /** The labels of a namespace; undefined while unknown. The same function until labels change. */
  labelsOf: (namespace: string) => Labels | undefined;
  /** CIDRs from which Services have their addresses, as far as the cluster tells. Undefined while they cannot be read. */
  serviceRanges: readonly string[] | undefined;
  /** What else is still to be listed: labels of namespaces, or ranges of Services. */
  awaited: string | undefined;
}

export const isMalformed = (object: Identity): object is Malformed => 'fault' in object;

/** Without those that their schema refuses, the oldest first. */
export const wellFormed = <T extends Identity>(objects: readonly (T | Malformed)[]): T[] =>
  objects.filter((object): object is T => !isMalformed(object)).sort(byAge);

function identityOf(label: string, metadata: CustomObject['metadata']): Identity {
  const { namespace = '', name, uid = '', creationTimestamp: created = '', generation = 0 } = metadata;
  return { resource: `${label}/${keyOf(metadata)}`, namespace, name, uid, created, generation };
}

/** The first issue, with its field. */
const faultIn = ({ issues: [issue] }: z.ZodError): string =>
  `${issuePath(['spec', ...(issue?.path ?? [])])}: ${issue?.message}`;
