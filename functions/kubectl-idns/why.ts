import { printable } from '../contract/printable.ts';
import type { Listing, NameRow } from './agent.ts';
import { Failure } from './failure.ts';
import { count, type Output } from './output.ts';

/** Returns a host as /names.json knows it. Throws if it cannot be one. */
export function parseHost(host: string | undefined): string {
  if (!host) throw new Failure('cannot look up a host: none is given: kubectl idns why web.corp.internal');
  const name = host.toLowerCase().replace(/\.$/, '');
  if (name === '' || name.length > 253 || /[\s/:@?#]/.test(name))
    throw new Failure(
      `cannot look up ${host.slice(0, 80)}: not a host name: leave out scheme, port and path, such as web.corp.internal`,
    );
  return name;
}

/** Explains why a host resolves or not. The code is 1 if it does not. */
export function why(host: string, listing: Listing): Output {
  const { instance, pod, hint, names } = listing;
  const own = names.filter(({ name }) => name === host);
  const rows = own.length > 0 ? own : closestWildcards(host, names);
  const resolves = rows.some(({ verdict }) => verdict === 'Resolved');
  const noRow = rows.length === 0 ? `no object requests ${host}: use a whole name` : undefined;
  const intro = [hint ?? noRow].filter((line) => line !== undefined).map(printable);
  const other = rows.length > 0 ? [] : names;
  return {
    lines: [
      ...(own.length > 0 ? [] : intro),
      ...rows.flatMap(explanation),
      ...(other.length > 0 ? [`names that contain it: ${shortList(other)}`] : []),
    ],
    json: { instance, pod, host, resolves, ...(hint !== undefined && { hint }), names: rows },
    code: resolves ? 0 : 1,
  };
}

/** The wildcards that cover the host most closely (RFC 4592 section 3.3.1). */
function closestWildcards(host: string, names: readonly NameRow[]): NameRow[] {
  const covering = names.filter(({ name }) => name.startsWith('*.') && host.endsWith(name.slice(1)));
  const longest = Math.max(...covering.map(({ name }) => name.length));
  return covering.filter(({ name }) => name.length === longest);
}

function explanation({
  name,
  resource,
  verdict,
  message,
  zone,
  answers,
  since,
  propagationSeconds,
}: NameRow): string[] {
  const fields: [string, string | undefined][] = [
    ['message', message],
    ['object', resource],
    ['answers', answers.length > 0 ? answers.join(', ') : undefined],
    ['zone', zone],
    ['since', since],
    ['propagation', propagationSeconds === undefined ? undefined : `${propagationSeconds} s`],
  ];
  const lines = fields.flatMap(([label, value]) => (value === undefined ? [] : [`  ${label.padEnd(11)}  ${value}`]));
  return [`${name}: ${verdict}`, ...lines].map(printable);
}

const maxShown = 5;

function shortList(rows: readonly NameRow[]): string {
  const names = [...new Set(rows.map(({ name }) => printable(name)))];
  const more = names.length - maxShown;
  return [...names.slice(0, maxShown), ...(more > 0 ? [`${count(more, 'more name')}`] : [])].join(', ');
}
