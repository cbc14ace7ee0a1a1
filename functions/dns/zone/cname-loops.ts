import { withoutDot } from '../name.ts';
import { closingRecord, endlessChains, isAlias } from './cname-chain.ts';
import { Lookup, type LookupZone } from './lookup.ts';
import type { Entry } from './rrset.ts';

/** NS records that point to the owner name of a CNAME. Each issue is reported for the later entry. */
export function nameServerIssues(entries: Entry[]): ReadonlyMap<Entry, string> {
  const aliases = new Map<string, Entry>();
  const delegations = new Map<string, Entry>();
  const issues = new Map<Entry, string>();
  for (const entry of entries) {
    const { name, type, content } = entry;
    if (type === 'CNAME' && !aliases.has(name)) {
      aliases.set(name, entry);
      const cut = delegations.get(name);
      if (cut) issues.set(entry, `${withoutDot(cut.name)} is delegated to this name (${cut.at}), ${mustHaveAddresses}`);
    } else if (type === 'NS') {
      if (!delegations.has(content)) delegations.set(content, entry);
      const alias = aliases.get(content);
      if (alias) issues.set(entry, `${withoutDot(content)} has a CNAME (${alias.at}), ${mustHaveAddresses}`);
    }
  }
  return issues;
}

const mustHaveAddresses = 'but a name server must have addresses (RFC 2181 section 10.3)';

/**
 * The loops of CNAME, DNAME, ALIAS and wildcard records across several zones. Each issue is reported for the entry that
 * comes last, in the order of the zones.
 */
export function cnameLoopIssues(zones: readonly LookupZone<Entry>[]): ReadonlyMap<Entry, string> {
  const aliases = zones.flatMap(({ records }) => [...records].filter(isAlias));
  if (aliases.length === 0) return new Map();
  const order = new Map(aliases.map((entry, index) => [entry, index]));
  const issues = new Map<Entry, string>();
  for (const chain of endlessChains(new Lookup(zones), aliases)) {
    const { record, why } = closingRecord(chain, order);
    issues.set(record, `${why}: ${cure}`);
  }
  return issues;
}

const cure = 'it never resolves (RFC 1034 section 3.6.2), so point it to a name that has an address';
