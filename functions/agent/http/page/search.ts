import { bounds } from '../../../contract/report.ts';
import { type Verdict, verdicts } from '../../../contract/verdict.ts';
import { absolute, withoutDot, zoneOf } from '../../../dns/name.ts';
import type { Overview, TrackedName } from '../../names/overview.ts';
import { outsideZonesMessage } from '../../names/reasons.ts';

export interface Search {
  /** A host or a part of one, in lower case and without the trailing dot. */
  host?: string;
  verdict?: Verdict;
}

export interface SearchResult {
  /** Names that match the host, with any verdict: the host itself first, then the wildcards that cover it. */
  matching: readonly TrackedName[];
  /** Those of `matching` with the verdict. */
  names: readonly TrackedName[];
  /** What to do about a host that no object requests. */
  hint?: string;
}

/** One character more than a name can have, so that a longer host is shown with an ellipsis. */
const maxHostLength = bounds.name + 1;

/** Ignores empty parameters. Throws on an unknown verdict. */
export function parseSearch(query: URLSearchParams): Search {
  const host = withoutDot((query.get('host') ?? '').slice(0, maxHostLength).trim().toLowerCase());
  const verdict = query.get('verdict') ?? '';
  if (verdict !== '' && !isVerdict(verdict))
    throw new Error(`unknown verdict ${verdict}: use one of ${verdicts.join(', ')}`);
  return { ...(host !== '' && host !== '.' && { host }), ...(verdict !== '' && { verdict }) };
}

const isVerdict = (text: string): text is Verdict => (verdicts as readonly string[]).includes(text);

export function findNames(overview: Overview, { host, verdict }: Search): SearchResult {
  const matching = host === undefined ? overview.names : matchHost(overview.names, host);
  const names = verdict === undefined ? matching : matching.filter((name) => name.verdict === verdict);
  const hint = host === undefined ? undefined : hintFor(host, matching, overview);
  return { matching, names, ...(hint && { hint }) };
}

function matchHost(names: readonly TrackedName[], host: string): TrackedName[] {
  const byRank: TrackedName[][] = [[], [], []];
  for (const each of names) {
    const rank = each.name === host ? 0 : isCoveredBy(host, each.name) ? 1 : each.name.includes(host) ? 2 : undefined;
    if (rank !== undefined) byRank[rank]?.push(each);
  }
  return byRank.flat();
}

/** Whether the name is a wildcard that covers the host (RFC 4592). */
const isCoveredBy = (host: string, name: string) => name.startsWith('*.') && host.endsWith(name.slice(1));

function hintFor(host: string, matching: readonly TrackedName[], { zones, discovery }: Overview): string | undefined {
  if (matching.some(({ name }) => name === host)) return undefined;
  const declared = zones.filter(({ state }) => state !== 'Retained').map(({ name }) => absolute(name));
  const zone = zoneOf(absolute(host), new Map(declared.map((each) => [each, withoutDot(each)])));
  // A host that other names contain is taken for a part of a name, unless it is inside a zone and may be a whole one.
  if (matching.length > 0 && (zone === undefined || zone === host)) return undefined;
  const shown = host.length > bounds.name ? `${host.slice(0, bounds.name)}…` : host;
  const wildcard = matching.find(({ name }) => isCoveredBy(host, name));
  if (wildcard) return `no object requests ${shown} itself, but ${wildcard.resource} requests ${wildcard.name}`;
  const notRequested = `no object requests ${host.includes('.') ? shown : `a name that contains ${shown}`}`;
  if (zone !== undefined) return `${notRequested}, which would be in the zone ${zone}: ${advice(discovery.state)}`;
  if (!host.includes('.') || declared.length === 0) return `${notRequested}: ${advice(discovery.state)}`;
  return `${notRequested}, and it would be ${outsideZonesMessage(absolute(shown), declared)}`;
}

/** Includes that records of the spec are not listed, for users who search for one of them. */
const advice = (state: Overview['discovery']['state']) =>
  state === 'Off'
    ? 'discovery is off, and only records from the spec are served'
    : 'add the host to an Ingress, a Service or a route, and check existing ones, for example with kubectl get ingress -A; records from the spec are not listed here';
