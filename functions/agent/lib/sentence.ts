import type { Verdict } from '../../contract/verdict.ts';
import { withoutDot } from '../../dns/name.ts';

/** What can be done about it, where what is said does not say so itself. */
const advice: Partial<Record<Verdict, string>> = {
  NoAddress:
    'its controller has written none into its status: see the log of the ingress controller or the load balancer, or set discovery.targets.default',
  Duplicate: 'give one of them another host, or see discovery.sharedHosts',
  DeclaredElsewhere: 'remove the record from the spec, or the host from the object',
};

export const adviceOn = (verdict: Verdict) => (advice[verdict] === undefined ? '' : `: ${advice[verdict]}`);

const mostListed = 4;
const longest = 100;

/** A few of them: an object may bring hundreds, and each may be long. */
export function listed(texts: readonly string[]): string {
  const shown = texts.slice(0, mostListed).map((text) => (text.length > longest ? `${text.slice(0, longest)}…` : text));
  const more = texts.length - shown.length;
  return more > 0 ? `${shown.join(', ')} and ${more} more` : shown.join(', ');
}

/** @param answers such as `A 192.0.2.7` */
export function resolved(answers: readonly string[]): string {
  const isTarget = (answer: string) => /^(A|AAAA|CNAME) /.test(answer);
  const texts = answers.map((answer) => (isTarget(answer) ? answer.slice(answer.indexOf(' ') + 1) : answer));
  return answers.every(isTarget) ? `resolves to ${listed(texts)}` : `answers ${listed(answers)}`;
}

/** @param zones absolute names, one at least */
export function outsideZones(name: string, zones: readonly string[]): string {
  const shown = listed(zones.map(withoutDot));
  const nearest = nearestOf(name, zones);
  const place =
    zones.length === 1 ? `the zone ${shown}` : `the zones ${shown}${nearest && `; the nearest is ${nearest}`}`;
  return `outside ${place}: give it a name below a zone, or declare its zone in spec.zones`;
}

/** The zone with the longest common end, without the dot; empty where none has the same top. */
function nearestOf(name: string, zones: readonly string[]): string {
  const [nearest] = zones
    .filter((zone) => topOf(zone) === topOf(name))
    .map((zone) => ({ zone, common: commonEnd(name, zone) }))
    .sort((a, b) => b.common - a.common || (a.zone < b.zone ? -1 : 1));
  return nearest ? withoutDot(nearest.zone) : '';
}

const topOf = (name: string) => withoutDot(name).split('.').at(-1);

function commonEnd(a: string, b: string): number {
  let length = 0;
  while (length < Math.min(a.length, b.length) && a.at(-1 - length) === b.at(-1 - length)) length++;
  return length;
}
