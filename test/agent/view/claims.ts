/** Objects to read claims off, and what is read of a claim. */
import type { Claim } from '../../../functions/agent/discovery/claim.ts';
import type { Reading } from '../../../functions/agent/view/annotation.ts';

export const both: Reading = { hostnames: 'SpecAndAnnotations' };

export const metadata = (annotations: Record<string, string> = {}) => ({
  namespace: 'shop',
  name: 'web',
  creationTimestamp: '2026-11-21T08:00:00Z',
  annotations,
});

/** An annotation by its name behind the usual prefix. */
export const annotated = (values: Record<string, string>) =>
  metadata(Object.fromEntries(Object.entries(values).map(([k, v]) => [`external-dns.kubernetes.io/${k}`, v])));

/** Hosts and targets in one line: `a. b. > 192.0.2.1`. */
export function lineOf(claim: Claim | undefined): string {
  if (!claim) return 'no claim';
  return `${claim.hosts.join(' ')} > ${claim.targets ? claim.targets.join(' ') || 'none' : 'unknown'}`;
}
