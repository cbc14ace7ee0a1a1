import type { DeclaredDiscovery } from '../../contract/declaration.ts';
import type { Labels } from '../kubernetes/object.ts';
import { byAge } from '../sources/age.ts';
import { isMalformed, type Machine, type Malformed, type NameClaim, wellFormed } from '../sources/own-object.ts';
import { claimRecords } from './claim-records.ts';
import { MachineIndex } from './machine-index.ts';
import { machineRecords, type TranslatedMachine } from './machine-records.ts';
import type { ServiceTest } from './service-address.ts';
import { TenantRights } from './tenant-rights.ts';
import { refused, type Translated } from './translated.ts';

export interface TranslationInput {
  /** Undefined while they cannot be read. */
  machines: readonly (Machine | Malformed)[] | undefined;
  claims: readonly (NameClaim | Malformed)[];
  /** The labels of a namespace; undefined while unknown. */
  labelsOf: (namespace: string) => Labels | undefined;
  /** By absolute name, in the order of the spec: whether the zone is signed. */
  zones: ReadonlyMap<string, boolean>;
  tenants: DeclaredDiscovery['tenants'];
  /** Whether tenants and reservedNames let an object have an absolute name: see discovery/tenancy.ts. */
  mayHave: (resource: string, name: string) => boolean;
  isOfService: ServiceTest | undefined;
  computes: boolean;
  /** How many addresses PowerDNS can check for claims, beyond those of the zones' records. */
  checksLeft: number;
  /** Returns what a Machine was translated into before, or the result of `work`, if that would be the same. */
  remembered?: (machine: Machine, work: () => TranslatedMachine) => TranslatedMachine;
}

/** What all Machines and claims ask for, the oldest of each first. */
export interface Translation {
  /** Reverse records are chosen once it is known which of their names are published: see reverse.ts. */
  machines: readonly TranslatedMachine[];
  /** Claims, and objects that their schemas refuse. */
  others: readonly Translated[];
}

/** Translates Machines and claims into what the pipeline of discovered objects takes. The order of the input has no influence. */
export function translate(input: TranslationInput): Translation {
  const { labelsOf, zones, mayHave, remembered = (_, work) => work() } = input;
  const rights = new TenantRights(input.tenants, labelsOf);
  const allMachines = wellFormed(input.machines ?? []);
  const context = { zones: [...zones.keys()], rights, mayHave };
  const machines = allMachines.map((machine) => remembered(machine, () => machineRecords(machine, context)));
  const ofClaims = {
    ...{ rights, labelsOf, zones, isBlind: input.machines === undefined },
    index: new MachineIndex(allMachines),
    machines: new Map(machines.map((each) => [each.machine.resource, each])),
    ...{ isOfService: input.isOfService, computes: input.computes },
    checks: { left: input.checksLeft },
  };
  const claims = wellFormed(input.claims).map((claim) => claimRecords(claim, ofClaims));
  const malformed = [...(input.machines ?? []), ...input.claims].filter(isMalformed).toSorted(byAge);
  return {
    machines: withClaims(machines, claims),
    others: [...claims, ...malformed.map((each) => refused(each, each.fault))],
  };
}

/** Tells each Machine which claims have it as a member. */
function withClaims(machines: readonly TranslatedMachine[], claims: readonly Translated[]): TranslatedMachine[] {
  const claimsOf = new Map<string, string[]>();
  for (const { object, finding } of claims) {
    for (const { machine } of finding.members ?? []) {
      if (machine === undefined) continue;
      const list = claimsOf.get(machine) ?? [];
      if (list.length === 0) claimsOf.set(machine, list);
      list.push(`${object.namespace}/${object.name}`);
    }
  }
  return machines.map((each) => {
    const { namespace, name } = each.machine;
    return { ...each, finding: { ...each.finding, claims: claimsOf.get(`${namespace}/${name}`) ?? [] } };
  });
}
