import type { DeclaredDiscovery } from '../../contract/declaration.ts';
import { bounds, type Report } from '../../contract/report.ts';
import { withoutDot } from '../../dns/name.ts';
import { answerOf, areMutuallyExclusive, haveSameAnswer, keyOf, type RRset } from '../powerdns/rrset.ts';

export type Policy = DeclaredDiscovery['policy'];

export type PreviewedChange = NonNullable<Report['discovery']['preview']>[number];

export interface PolicyResult {
  /**
   * What ExternalDNS shall consider desired: it deletes current RRsets that are missing here, and updates different
   * ones.
   */
  answer: RRset[];
  /** Under Preview, the first few changes that Sync would make. */
  preview?: PreviewedChange[];
}

/**
 * Applies the policy to what was accepted. ExternalDNS itself always runs with `--policy=sync`: so a change of the
 * policy restarts nothing, and its own `upsert-only` would drop one half of a switch from A to CNAME.
 * https://github.com/kubernetes-sigs/external-dns/blob/v0.23.0/plan/policy.go
 * @param current what ExternalDNS finds
 */
export function applyPolicy(policy: Policy, current: RRset[], accepted: RRset[]): PolicyResult {
  switch (policy) {
    case 'Sync':
      return { answer: accepted };
    case 'UpsertOnly':
      return { answer: [...accepted, ...compatibleWith(accepted, current)] };
    case 'CreateOnly':
      return { answer: [...current, ...compatibleWith(current, accepted)] };
    case 'Preview':
      return { answer: current, preview: previewOf(current, accepted) };
  }
}

/** Returns what only the policy keeps in an answer, so that it would not be published again if it were lost. */
export function keptByPolicy(policy: Policy, answer: RRset[], accepted: RRset[]): RRset[] {
  if (policy === 'Sync') return [];
  if (policy === 'Preview') return answer;
  const published = new Set(accepted.map(answerOf));
  return answer.filter((rrset) => !published.has(answerOf(rrset)));
}

/** Returns the RRsets that can exist beside the others. */
function compatibleWith(others: RRset[], rrsets: RRset[]): RRset[] {
  const byName = Map.groupBy(others, ({ name }) => name);
  return rrsets.filter((rrset) => !byName.get(rrset.name)?.some((other) => areMutuallyExclusive(other, rrset)));
}

function previewOf(current: RRset[], accepted: RRset[]): PreviewedChange[] {
  const before = new Map(current.map((rrset) => [keyOf(rrset), rrset]));
  const after = new Map(accepted.map((rrset) => [keyOf(rrset), rrset]));
  const changed = accepted.flatMap((rrset) => {
    const old = before.get(keyOf(rrset));
    if (old && haveSameAnswer(old, rrset)) return [];
    return [{ action: old ? ('Update' as const) : ('Create' as const), rrset }];
  });
  const deleted = current
    .filter((rrset) => !after.has(keyOf(rrset)))
    .map((rrset) => ({ action: 'Delete' as const, rrset }));
  return [...deleted, ...changed]
    .sort((a, b) => (keyOf(a.rrset) < keyOf(b.rrset) ? -1 : 1))
    .slice(0, bounds.preview)
    .map(({ action, rrset: { name, type, records } }) => ({
      action,
      name: withoutDot(name),
      type,
      values: records
        // The dot of the null MX, `0 .`, stays.
        .map((content) => content.replace(/(?<=\S)\.$/, '').slice(0, bounds.value))
        .sort()
        .slice(0, bounds.values),
    }));
}
