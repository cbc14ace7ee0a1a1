import { type Tenant, tenantsByNamespace } from '../discovery/tenancy.ts';
import type { Labels } from '../kubernetes/object.ts';
import { inNetworks } from '../lib/networks.ts';

type Checks = NonNullable<Tenant['machines']>['checks'];

/** What the tenants of a namespace let its Machines and claims do. Names are not its subject: see discovery/tenancy.ts. */
export interface Rights {
  /** Whether they can have an address. */
  allows: (address: string) => boolean;
  /** The networks, in words; empty if they can have any address. */
  networks: string;
  checks: Checks;
}

/** Without a tenant of its own a namespace can have any address, and no checks that request pages. */
const unrestricted: Rights = { allows: () => true, networks: '', checks: 'Port' };

export class TenantRights {
  readonly #tenantsOf: (namespace: string) => readonly Tenant[] | undefined;
  readonly #rights = new Map<string, Rights | undefined>();

  /** @param labelsOf the labels of a namespace; undefined while unknown */
  constructor(tenants: readonly Tenant[], labelsOf: (namespace: string) => Labels | undefined) {
    this.#tenantsOf = tenants.length === 0 ? () => [] : tenantsByNamespace(tenants, labelsOf);
  }

  /** Returns the rights of a namespace; undefined while its labels are unknown. */
  of(namespace: string): Rights | undefined {
    if (!this.#rights.has(namespace)) {
      const tenants = this.#tenantsOf(namespace);
      this.#rights.set(namespace, tenants && rightsOf(tenants));
    }
    return this.#rights.get(namespace);
  }

  /** Reports whether claims in one namespace can have the Machines in another as members. */
  maySelect(claims: string, machines: string): boolean {
    if (claims === machines) return true;
    const claimants = this.#tenantsOf(claims) ?? [];
    return (this.#tenantsOf(machines) ?? []).some((tenant) => {
      const { selectableBy } = tenant.machines ?? {};
      return (
        selectableBy === 'SelectableByAll' || (selectableBy === 'SelectableByTenant' && claimants.includes(tenant))
      );
    });
  }
}

/** The rights of a namespace of several tenants are those of all of them together. */
function rightsOf(tenants: readonly Tenant[]): Rights {
  const all = tenants.flatMap(({ machines }) => machines ?? []);
  if (all.length === 0) return unrestricted;
  const checks = all.some((each) => each.checks === 'URL') ? 'URL' : 'Port';
  if (all.some(({ networks }) => networks.length === 0)) return { ...unrestricted, checks };
  const networks = [...new Set(all.flatMap((each) => each.networks))];
  return { allows: inNetworks(networks), networks: networks.join(', '), checks };
}
