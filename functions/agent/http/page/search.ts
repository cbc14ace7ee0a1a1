import { bounds } from '../../../contract/report.ts';
import { type Verdict, verdicts } from '../../../contract/verdict.ts';
import { absolute, withoutDot, zoneOf } from '../../../dns/name.ts';
import type { Overview, TrackedName } from '../../names/overview.ts';
import { outsideZonesMessage } from '../../names/reasons.ts';

/** What somebody looks for. */
export interface Search {
  /** A host or a part of one, in lower case and without the dot at the end. */
  host?: string;
  verdict?: Verdict;
}

export interface Found {
  /** Those that the host is in, whatever their verdict: the host itself first, then the wildcards above it. */
  matching: readonly TrackedName[];
  /** Those of them with the verdict. */
  names: readonly TrackedName[];
  /** What to do about a host that nobody asks for. */
  hint?: string;
}

/** One character more than what is shown of a name, and than a name can have. */
const longestHost = bounds.name + 1;

/** Reads a query. An empty parameter is none. Throws on a verdict that is none. */
export function searchOf(query: URLSearchParams): Search {
  const host = withoutDot((query.get('host') ?? '').slice(0, longestHost).trim().toLowerCase());
  const verdict = query.get('verdict') ?? '';
  if (verdict !== '' && !isVerdict(verdict)) throw new Error(`not a verdict: ${verdict} (${verdicts.join(', ')})`);
  return { ...(host !== '' && host !== '.' && { host }), ...(verdict !== '' && { verdict }) };
}

const isVerdict = (text: string): text is Verdict => (verdicts as readonly string[]).includes(text);

export function find(overview: Overview, { host, verdict }: Search): Found {
  const matching = host === undefined ? overview.names : withHost(overview.names, host);
  const names = verdict === undefined ? matching : matching.filter((name) => name.verdict === verdict);
  const hint = host === undefined ? undefined : hintOn(host, matching, overview);
  return { matching, names, ...(hint && { hint }) };
}

function withHost(names: readonly TrackedName[], host: string): TrackedName[] {
  const found: TrackedName[][] = [[], [], []];
  for (const each of names) {
    const rank = each.name === host ? 0 : isCoveredBy(host, each.name) ? 1 : each.name.includes(host) ? 2 : undefined;
    if (rank !== undefined) found[rank]?.push(each);
  }
  return found.flat();
}

/** Whether a wildcard stands above a name (RFC 4592). */
const isCoveredBy = (host: string, name: string) => name.startsWith('*.') && host.endsWith(name.slice(1));

function hintOn(host: string, matching: readonly TrackedName[], { zones, discovery }: Overview): string | undefined {
  if (matching.some(({ name }) => name === host)) return undefined;
  const declared = zones.filter(({ state }) => state !== 'Retained').map(({ name }) => absolute(name));
  const zone = zoneOf(absolute(host), new Map(declared.map((each) => [each, withoutDot(each)])));
  // What others have in them is a part of a name, unless it is below a zone: then it may be a whole one.
  if (matching.length > 0 && (zone === undefined || zone === host)) return undefined;
  const shown = host.length > bounds.name ? `${host.slice(0, bounds.name)}…` : host;
  const wildcard = matching.find(({ name }) => isCoveredBy(host, name));
  if (wildcard) return `no object asks for ${shown} itself, but ${wildcard.resource} does for ${wildcard.name}`;
  const nobody = `no object asks for ${host.includes('.') ? shown : `a name with ${shown} in it`}`;
  if (zone !== undefined) return `${nobody}, which would be in the zone ${zone}: ${advice(discovery.state)}`;
  if (!host.includes('.') || declared.length === 0) return `${nobody}: ${advice(discovery.state)}`;
  return `${nobody}, and it would be ${outsideZonesMessage(absolute(shown), declared)}`;
}

/** The records of the spec are not asked for by objects, so whoever looks for one is told where it is. */
const advice = (state: Overview['discovery']['state']) =>
  state === 'Off'
    ? 'discovery is off, and only the records of the spec are answered'
    : 'give the host to an Ingress, a Service or a route, and see which there are with kubectl get ingress -A; records of the spec are not listed here';
