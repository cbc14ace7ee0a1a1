import { isIPv4, isIPv6 } from 'node:net';
import { withoutDot } from '../../dns/name.ts';
import type { RRset } from '../zone.ts';

/** Where a wish would be published. */
export interface Setting {
  /** The declared zone that the name is in. */
  zone: string | undefined;
  /** The zone that PowerDNS answers from. */
  answering: string | undefined;
  declared: ReadonlyMap<string, string>;
  /** The names of the zones' own servers. */
  servers: ReadonlySet<string>;
  /** The delegation or DNAME from which on the name is somebody else's. */
  cut: Pick<RRset, 'name' | 'type'> | undefined;
}

/** The types that ExternalDNS may ask for. Never LUA: it is code that runs on the server. */
const types = ['A', 'AAAA', 'CNAME'];

/** What is wrong with a wish by itself. */
export function fault({ name, type, ttl, records }: RRset, setting: Setting): string | undefined {
  const { zone, answering, declared, servers, cut } = setting;
  if (name === '.') return 'an empty name';
  if (!types.includes(type)) return `records of type ${type} are not discovered`;
  if (!zone) return `outside the zones ${[...declared.keys()].map(withoutDot).join(', ')}`;
  const illegal = illegalName(name);
  if (illegal) return illegal;
  if (servers.has(name)) return "the name of a zone's own server";
  if (answering !== zone) return elsewhere(zone, answering);
  if (cut?.type === 'DNAME') return `the DNAME of ${withoutDot(cut.name)} covers it (RFC 6672 section 2.4)`;
  if (cut) return `${withoutDot(cut.name)} is delegated: its own servers answer for it`;
  // RFC 2181 section 8
  if (!Number.isInteger(ttl) || ttl < 0 || ttl > 2 ** 31 - 1) return `not a time to live: ${ttl}`;
  const bad = records.find((content) => !isContent(type, content));
  if (records.length === 0 || bad === '' || bad === '.') return 'no target';
  if (bad !== undefined) return `not ${contents[type]}: ${withoutDot(bad)}`;
  if (type !== 'CNAME') return undefined;
  if (records.length !== 1) return `a CNAME has one target, not ${records.length}`;
  if (name === zone) return 'a CNAME cannot stand at the top of a zone (RFC 1034 section 3.6.2)';
  return records[0] === name ? 'a CNAME to itself' : undefined;
}

const contents: Record<string, string> = { A: 'an IPv4 address', AAAA: 'an IPv6 address', CNAME: 'a name' };

function isContent(type: string, content: string): boolean {
  if (type === 'A') return isIPv4(content);
  if (type === 'AAAA') return isIPv6(content) && !content.includes('%');
  // PowerDNS resolves escapes: it would come back in another form, and so be wanted anew for ever.
  return content !== '.' && !content.includes('\\');
}

/** Host names as RFC 1123 section 2.1 has them, with a wildcard as the first label at most. */
function illegalName(name: string): string | undefined {
  const labels = withoutDot(name).split('.');
  const hosts = labels[0] === '*' ? labels.slice(1) : labels;
  if (name.length > 254) return 'longer than 253 characters (RFC 1035 section 2.3.4)';
  if (labels.some((l) => l === '')) return 'has an empty label';
  if (labels.some((l) => l.length > 63)) return 'has a label of more than 63 characters (RFC 1035 section 2.3.4)';
  // Service records and challenges such as _acme-challenge prove who owns a name: no annotation may write them.
  if (labels.some((l) => l.startsWith('_'))) return 'names that begin with an underscore are not for discovery';
  // Whoever holds it configures the proxy of every browser: https://www.kb.cert.org/vuls/id/598349
  if (labels[0] === 'wpad') return 'wpad would configure the proxies of browsers';
  const bad = hosts.find((l) => !/^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/.test(l));
  return bad && `${JSON.stringify(bad)} is not a label of letters, digits and hyphens (RFC 1123 section 2.1)`;
}

const elsewhere = (zone: string, answering: string | undefined) =>
  answering && answering.length > zone.length
    ? `the zone ${withoutDot(answering)} answers for it, and is not declared`
    : `the zone ${withoutDot(zone)} could not be made`;
