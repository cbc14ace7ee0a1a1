import type { DeclaredDiscovery } from '../../contract/declaration.ts';
import { reservedNameMessage } from '../../contract/host-rules.ts';
import { matchesSelector } from '../../contract/label-selector.ts';
import { withoutDot } from '../../dns/name.ts';
import { type RRset, resourceOf } from '../powerdns/rrset.ts';
import type { SourceLister } from '../sources/source-object.ts';
import { NamePatterns } from './name-patterns.ts';
import { isNamed, namespaceOf } from './resource-label.ts';

type Tenant = DeclaredDiscovery['tenants'][number];

/** Why an object may not have a name. */
export interface Restriction {
  message: string;
  /** Whether it is only not known yet. */
  isTemporary?: boolean;
}

/** What keeps an object from a name, if anything does. */
export interface NameRestrictions {
  for(desired: RRset): Restriction | undefined;
  /** Whether a tenant is given the name, and its namespace is one of his. */
  isGranted(desired: RRset): boolean;
}

type Tenancy = (desired: RRset) => Restriction | 'given' | undefined;

/** Names that no object may have, and those that only some namespaces may. */
export function nameRestrictions(discovery: DeclaredDiscovery, lister: SourceLister): NameRestrictions {
  const { reservedNames, tenants } = discovery;
  const reserved = new NamePatterns(reservedNames.map((pattern) => [pattern, true]));
  const tenancy: Tenancy = tenants.length > 0 ? tenancyOf(tenants, lister) : () => undefined;
  return {
    for(desired) {
      if (reserved.match(desired.name).length > 0) return { message: reservedNameMessage };
      const restriction = tenancy(desired);
      return restriction === 'given' ? undefined : restriction;
    },
    isGranted: (desired) => tenancy(desired) === 'given',
  };
}

/**
 * A tenant's namespaces have its names and no others, and its names are nobody else's. The labels of a namespace say
 * whose it is; whoever may change them may change that.
 */
function tenancyOf(tenants: Tenant[], lister: SourceLister): Tenancy {
  const patterns = new NamePatterns(
    tenants.flatMap((tenant) => tenant.names.map((pattern) => [pattern, { tenant, pattern }] as const)),
  );
  const known = new Map<string, Tenant[] | undefined>();
  /** Undefined while the namespace's labels are not known. */
  const tenantsOf = (namespace: string) => {
    if (known.has(namespace)) return known.get(namespace);
    const labels = namespace === '' ? {} : lister.namespaceLabels(namespace);
    const own = namespace === '' ? [] : labels && tenants.filter((t) => matchesSelector(t.namespaceSelector, labels));
    known.set(namespace, own);
    return own;
  };
  return (desired) => {
    const resource = resourceOf(desired);
    if (!isNamed(resource)) return { message: unnamed };
    const namespace = namespaceOf(resource);
    const own = tenantsOf(namespace);
    if (!own) return { message: `the labels of namespace ${namespace} are not known yet`, isTemporary: true };
    const providers = patterns.match(desired.name);
    if (own.length === 0) return providers[0] && { message: notOf(providers[0].pattern, namespace, resource) };
    if (providers.some(({ tenant }) => own.includes(tenant))) return 'given';
    return { message: `namespace ${namespace} may have ${listed(own)}` };
  };
}

const unnamed =
  'it is not said which object wants it, so nobody knows its tenant (discovery.tenants): name the host on a Service or an Ingress';

function notOf(pattern: string, namespace: string, resource: string): string {
  const [who, label] = namespace === '' ? [resource, ''] : [`namespace ${namespace}`, ', or label the namespace'];
  return `${pattern} is for a tenant that ${who} is not of (discovery.tenants): use another host${label}`;
}

/** What its tenants leave a namespace. */
function listed(tenants: Tenant[]): string {
  const names = [...new Set(tenants.flatMap((tenant) => tenant.names.map(withoutDot)))];
  if (names.length === 0) return 'no names (discovery.tenants): add some to its tenant';
  const shown = names.length > 4 ? `${names.slice(0, 3).join(', ')} and ${names.length - 3} more` : names.join(', ');
  return `only ${shown} (discovery.tenants): use one of these`;
}
