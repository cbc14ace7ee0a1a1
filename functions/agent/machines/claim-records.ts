import { isIPv4 } from 'node:net';
import { mostHosts, mostTargets } from '../../contract/declaration.ts';
import { namePlaceholder, recordURL } from '../../contract/kinds/name-claim.ts';
import { answerIssues, isDynamic, undeniable } from '../../dns/answer.ts';
import { maxChecks } from '../../dns/health-check.ts';
import { absolute, zoneOf } from '../../dns/name.ts';
import { checkCount } from '../../dns/record.ts';
import type { Endpoint } from '../discovery/endpoint.ts';
import { unknownLabels } from '../discovery/tenancy.ts';
import { canonicalAddress, keyOf } from '../powerdns/rrset.ts';
import type { NameClaim } from '../sources/own-object.ts';
import { type MemberContext, membersOf } from './claim-members.ts';
import { answerFor, type ComputedAnswer } from './computed-answer.ts';
import type { TranslatedMachine } from './machine-records.ts';
import { type ServiceTest, unknownRanges } from './service-address.ts';
import { hostEndpoints, type Member, permitted, refused, type Translated } from './translated.ts';

/** What a claim's records depend on besides the claim. */
export interface ClaimContext extends MemberContext {
  /** By resource. */
  machines: ReadonlyMap<string, TranslatedMachine>;
  /** By absolute name: whether the zone is signed. */
  zones: ReadonlyMap<string, boolean>;
  /** Whether Machines cannot be read, so that nobody knows who has which. */
  isBlind: boolean;
  /** Undefined while nobody knows: nothing is checked for the first time. */
  isOfService: ServiceTest | undefined;
  /** Whether PowerDNS computes answers. */
  computes: boolean;
  /** How many more addresses PowerDNS can check. Counted down by each claim that is translated. */
  checks: { left: number };
}

/** Returns the endpoints of a claim: those of the name that its members share, and of the name that each has by itself. */
export function claimRecords(claim: NameClaim, context: ClaimContext): Translated {
  const { spec } = claim;
  const rights = context.rights.of(claim.namespace);
  if (!rights) return refused(claim, unknownLabels(claim.namespace), { isTemporary: true, hosts: sharedHost(claim) });
  if (context.isBlind && spec.selector) {
    return refused(claim, 'the Machines cannot be read now: see status.discovery of the InternalDNS', {
      isTemporary: true,
      hosts: sharedHost(claim),
    });
  }
  const { members, notes, weights } = gathered(claim, context, rights);
  const hosts = [...new Set([...sharedHost(claim), ...members.flatMap(({ name }) => (name ? [absolute(name)] : []))])];
  const refuse = (refusal: string) => refused(claim, refusal, { hosts, members, notes });
  if (spec.check?.url !== undefined && rights.checks !== 'URL') {
    return refuse(`namespace ${claim.namespace} can have no check of a URL (discovery.tenants, checks): use port`);
  }
  if (spec.check && !context.isOfService) {
    return refused(claim, unknownRanges, { isTemporary: true, hosts, members, notes });
  }
  const named = members.flatMap(({ name, addresses }) => (name ? hostEndpoints(name, addresses, claim) : []));
  if (spec.name === undefined)
    return { object: claim, hosts, endpoints: named, answers: new Map(), finding: { members, notes } };

  const all = [...new Set(members.flatMap(({ addresses }) => addresses))];
  const { isOfService = () => false } = context;
  const checkable = spec.check ? all.filter((address) => !isOfService(address)) : all;
  if (checkable.length < all.length) notes.push('left out addresses of Services: those are never checked');
  const shared = hostEndpoints(spec.name, checkable, claim);
  const published = shared.reduce((sum, { targets }) => sum + targets.length, 0);
  if (published < checkable.length) {
    notes.push(`answered with ${mostTargets} addresses of each family, those of the oldest Machines: it has more`);
  }
  const backup = permitted(spec.backup ?? [], claim, rights);
  notes.push(...backup.notes);
  if (backup.addresses.some(isOfService)) return refuse('backup has an address of a Service, which is never checked');
  const answers = new Map<string, ComputedAnswer>();
  const isSigned = zoneOf(absolute(spec.name), context.zones) ?? false;
  for (const { recordType, targets } of shared) {
    const answer = answerOf(claim, recordType, backup.addresses, isSigned, weights);
    const ofRecords = answerFor(targets, answer);
    if (!isDynamic(ofRecords)) continue;
    if (isSigned && spec.whenAllDown === 'None') return refuse(`whenAllDown: ${undeniable}`);
    const [issue] = answerIssues({ type: recordType, values: targets, ...ofRecords });
    if (issue) return refuse(`${issue.field}: ${issue.message}`);
    answers.set(keyOf({ name: absolute(spec.name), type: recordType }), answer);
  }
  // Otherwise PowerDNS would answer that the name has no addresses.
  if (answers.size > 0 && !context.computes) {
    return refused(claim, computesLater, { isTemporary: true, hosts, members, notes });
  }
  const cost = checkCount(shared.map((each) => ({ values: each.targets, ...answerAt(answers, each) })));
  if (cost > context.checks.left) {
    return refuse(
      `check: PowerDNS can check ${maxChecks} addresses in all, and older claims and records have the rest`,
    );
  }
  context.checks.left -= cost;
  return { object: claim, hosts, endpoints: [...shared, ...named], answers, finding: { members, notes } };
}

const computesLater =
  'PowerDNS restarts once, with the first source of NameClaims, before answers with check, answer or weightLabel are published';

const sharedHost = ({ spec: { name } }: NameClaim) => (name === undefined ? [] : [absolute(name)]);

const answerAt = (answers: ReadonlyMap<string, ComputedAnswer>, { dnsName, recordType, targets }: Endpoint) => {
  const computed = answers.get(keyOf({ name: absolute(dnsName), type: recordType }));
  return computed ? answerFor(targets, computed) : {};
};

/** The answer of one family. A family without backup addresses has none when all its members are down. */
function answerOf(
  { spec }: NameClaim,
  type: string,
  backups: readonly string[],
  isSigned: boolean,
  weights: ReadonlyMap<string, number> | undefined,
): ComputedAnswer {
  const { check, answer, whenAllDown } = spec;
  const backup = backups.filter((address) => isIPv4(address) === (type === 'A'));
  const isBare = whenAllDown === 'Backup' && backup.length === 0;
  const otherwise = isBare ? (isSigned ? 'All' : 'None') : whenAllDown;
  return {
    ...(check && { check: { ...check, ...(check.url !== undefined && { url: recordURL(check.url) }) } }),
    ...(answer && { answer }),
    ...(otherwise && { whenAllDown: otherwise }),
    ...(otherwise === 'Backup' && { backup }),
    ...(weights && { weights }),
  };
}

interface Gathered {
  members: Member[];
  notes: string[];
  /** By address, if the claim has weights. */
  weights?: ReadonlyMap<string, number>;
}

/** The members of a claim with their addresses, names and weights, up to the limits. */
function gathered(claim: NameClaim, context: ClaimContext, rights: Parameters<typeof permitted>[2]): Gathered {
  const { spec } = claim;
  const { machines, forbidden } = membersOf(claim, context);
  const own = permitted(spec.addresses, claim, rights);
  const notes = [...own.notes];
  if (forbidden > 0) {
    notes.push(
      `${forbidden} Machines of other namespaces are no members: their tenants do not let them be (discovery.tenants, machines)`,
    );
  }
  if (machines.length > mostHosts) notes.push(`has the ${mostHosts} oldest of ${machines.length} Machines as members`);
  const weights = spec.weightLabel === undefined ? undefined : new Map<string, number>();
  const names = new Set(spec.name === undefined ? [] : [spec.name]);
  const members = machines.slice(0, mostHosts).flatMap((machine): Member[] => {
    const { addresses = [] } = context.machines.get(machine.resource) ?? {};
    if (addresses.length === 0) return [];
    const key = `${machine.namespace}/${machine.name}`;
    if (weights && spec.weightLabel !== undefined) {
      const text = machine.labels[spec.weightLabel];
      const weight = weightOf(text);
      if (text !== undefined && weight === undefined)
        notes.push(`${key} has the weight ${text}, which is not one of 1 to 1000: it weighs 1`);
      for (const address of addresses) if (!weights.has(address)) weights.set(address, weight ?? 1);
    }
    const name = spec.template?.replaceAll(namePlaceholder, () => machine.name);
    const isTaken = name !== undefined && names.has(name);
    if (isTaken) notes.push(`${key} does not get the name ${name}, which an older member or the claim has`);
    else if (name !== undefined) names.add(name);
    return [{ machine: key, addresses, ...(name !== undefined && !isTaken && { name }) }];
  });
  const besides = own.addresses.map(canonicalAddress);
  if (besides.length > 0) members.push({ addresses: besides });
  return { members, notes, ...(weights && { weights }) };
}

/** Undefined if the label is missing, or no weight of a record. */
const weightOf = (text: string | undefined): number | undefined => {
  const weight = text !== undefined && /^[0-9]{1,4}$/.test(text) ? Number(text) : 0;
  return weight >= 1 && weight <= 1000 ? weight : undefined;
};
