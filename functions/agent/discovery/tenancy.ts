import type { DeclaredDiscovery } from '../../contract/declaration.ts';
import { parsePattern, reservedNameMessage } from '../../contract/host-rules.ts';
import { matchesSelector } from '../../contract/label-selector.ts';
import { absolute, parentOf, withoutDot } from '../../dns/name.ts';
import { type RRset, resourceOf } from '../powerdns/rrset.ts';
import type { SourceLister } from '../sources/source-object.ts';
import { isNamed, namespaceOf } from './resource-label.ts';

export type Tenant = DeclaredDiscovery['tenants'][number];
type Labels = Readonly<Record<string, string>>;

/** Why an object may not have a name. */
export interface Restriction {
  message: string;
  /** The labels of the object's namespace are not known yet. */
  isTemporary?: boolean;
}

export interface NameRestrictions {
  /** Returns why the object of a desired record may not have the name. */
  for(desired: RRset): Restriction | undefined;
  /** Reports whether a tenant has the name, and the namespace of the object is one of that tenant's. */
  isGranted(desired: RRset): boolean;
}

type Tenancy = (desired: RRset) => Restriction | 'granted' | undefined;

/** Returns the restrictions of `discovery.reservedNames` and `discovery.tenants`. */
export function nameRestrictions(discovery: DeclaredDiscovery, lister: SourceLister): NameRestrictions {
  const { reservedNames, tenants } = discovery;
  const reserved = new NamePatterns(reservedNames.map((pattern) => [pattern, true]));
  const tenancy: Tenancy = tenants.length > 0 ? tenancyOf(tenants, lister) : () => undefined;
  return {
    for(desired) {
      if (reserved.match(desired.name).length > 0) return { message: reservedNameMessage };
      const restriction = tenancy(desired);
      return restriction === 'granted' ? undefined : restriction;
    },
    isGranted: (desired) => tenancy(desired) === 'granted',
  };
}

/**
 * The namespaces of a tenant may have the tenant's names and no others, and nobody else may have those. The labels of a
 * namespace say whose it is, so whoever may change them may change that.
 */
function tenancyOf(tenants: Tenant[], lister: SourceLister): Tenancy {
  const patterns = new NamePatterns(
    tenants.flatMap((tenant) => tenant.names.map((pattern) => [pattern, { tenant, pattern }] as const)),
  );
  const tenantsOf = tenantsByNamespace(tenants, (namespace) => lister.namespaceLabels(namespace));
  return (desired) => {
    const resource = resourceOf(desired);
    if (!isNamed(resource)) return { message: unnamed };
    const namespace = namespaceOf(resource);
    const own = namespace === '' ? [] : tenantsOf(namespace);
    if (!own) return { message: unknownLabels(namespace), isTemporary: true };
    const matches = patterns.match(desired.name);
    if (own.length === 0) return matches[0] && { message: notOf(matches[0].pattern, namespace, resource) };
    if (matches.some(({ tenant }) => own.includes(tenant))) return 'granted';
    return { message: `namespace ${namespace} may have ${listed(own)}` };
  };
}

/** Returns the tenants of a namespace; undefined while its labels are not known. Remembers them. */
export function tenantsByNamespace(
  tenants: readonly Tenant[],
  labelsOf: (namespace: string) => Labels | undefined,
): (namespace: string) => readonly Tenant[] | undefined {
  const known = new Map<string, readonly Tenant[] | undefined>();
  return (namespace) => {
    if (known.has(namespace)) return known.get(namespace);
    const labels = labelsOf(namespace);
    const own = labels && tenants.filter(({ namespaceSelector }) => matchesSelector(namespaceSelector, labels));
    known.set(namespace, own);
    return own;
  };
}

export const unknownLabels = (namespace: string) => `the labels of namespace ${namespace} are not known yet`;

const unnamed =
  'the object is unknown, and so is its tenant (discovery.tenants): set the host on a Service or an Ingress';

function notOf(pattern: string, namespace: string, resource: string): string {
  const [who, label] = namespace === '' ? [resource, ''] : [`namespace ${namespace}`, ', or label the namespace'];
  return `${pattern} belongs to a tenant that does not include ${who} (discovery.tenants): use another host${label}`;
}

/** The names that the tenants of a namespace may have, in words. */
function listed(tenants: readonly Tenant[]): string {
  const names = [...new Set(tenants.flatMap((tenant) => tenant.names.map(withoutDot)))];
  if (names.length === 0) return 'no names (discovery.tenants): add some to its tenant';
  const shown = names.length > 4 ? `${names.slice(0, 3).join(', ')} and ${names.length - 3} more` : names.join(', ');
  return `only ${shown} (discovery.tenants): use one of these`;
}

/** Values by patterns of names. */
export class NamePatterns<T> {
  readonly #at = new Map<string, T[]>();
  readonly #below = new Map<string, T[]>();

  constructor(entries: Iterable<readonly [pattern: string, T]>) {
    for (const [pattern, value] of entries) {
      const { name, isBelow } = parsePattern(pattern);
      const key = absolute(name);
      const patterns = isBelow ? this.#below : this.#at;
      patterns.set(key, [...(patterns.get(key) ?? []), value]);
    }
  }

  /** Returns the values of all patterns that match an absolute name. */
  match(name: string): T[] {
    const found = [...(this.#at.get(name) ?? [])];
    if (this.#below.size === 0) return found;
    for (let above = parentOf(name); above !== ''; above = parentOf(above)) {
      found.push(...(this.#below.get(above) ?? []));
    }
    return found;
  }
}
