import type { DeclaredDiscovery } from '../../contract/declaration.ts';
import { bounds, type Report } from '../../contract/report.ts';
import { withoutDot } from '../../dns/name.ts';
import { answerOf, areMutuallyExclusive, haveSameAnswer, keyOf, type RRset } from '../powerdns/rrset.ts';

export type Policy = DeclaredDiscovery['policy'];

export type PreviewedChange = NonNullable<Report['discovery']['preview']>[number];

export interface Answer {
  /** What ExternalDNS is to go on with: it deletes what stands and is left out, and changes what is another. */
  answer: RRset[];
  /** With the policy Preview, what Sync would do; the first few. */
  preview?: PreviewedChange[];
}

/**
 * What ExternalDNS is answered, which itself always runs with `--policy=sync`: another policy restarts nothing, and
 * its own `upsert-only` would drop one half of a switch from A to CNAME.
 * https://github.com/kubernetes-sigs/external-dns/blob/v0.23.0/plan/policy.go
 * @param standing what the owner's ExternalDNS finds
 * @param accepted what should stand
 */
export function answerUnder(policy: Policy, current: RRset[], accepted: RRset[]): Answer {
  switch (policy) {
    case 'Sync':
      return { answer: accepted };
    case 'UpsertOnly':
      return { answer: [...accepted, ...thoseBeside(accepted, current)] };
    case 'CreateOnly':
      return { answer: [...current, ...thoseBeside(current, accepted)] };
    case 'Preview':
      return { answer: current, preview: previewOf(current, accepted) };
  }
}

/**
 * Of an answer what would not be published again if it were lost: with Preview nothing would.
 * @param accepted what should stand
 */
export function keptUnder(policy: Policy, answer: RRset[], accepted: RRset[]): RRset[] {
  if (policy === 'Sync') return [];
  if (policy === 'Preview') return answer;
  const afresh = new Set(accepted.map(answerOf));
  return answer.filter((rrset) => !afresh.has(answerOf(rrset)));
}

/** Of some RRsets those that can be there beside others. */
function thoseBeside(others: RRset[], rrsets: RRset[]): RRset[] {
  const names = Map.groupBy(others, ({ name }) => name);
  return rrsets.filter((rrset) => !names.get(rrset.name)?.some((other) => areMutuallyExclusive(other, rrset)));
}

function previewOf(current: RRset[], accepted: RRset[]): PreviewedChange[] {
  const before = new Map(current.map((rrset) => [keyOf(rrset), rrset]));
  const after = new Map(accepted.map((rrset) => [keyOf(rrset), rrset]));
  const changed = accepted.flatMap((rrset) => {
    const there = before.get(keyOf(rrset));
    if (there && haveSameAnswer(there, rrset)) return [];
    return [{ action: there ? ('Update' as const) : ('Create' as const), rrset }];
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
        // But for the null MX, `0 .`.
        .map((content) => content.replace(/(?<=\S)\.$/, '').slice(0, bounds.value))
        .sort()
        .slice(0, bounds.values),
    }));
}
