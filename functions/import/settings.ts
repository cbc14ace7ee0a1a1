import { withoutDot } from '../dns/name.ts';
import { type SOA, soaFaults } from '../dns/rdata/soa.ts';
import type { ZoneFile } from '../dns/zone-file/zone-file.ts';
import { zone as schema } from '../internal-dns/zones/zone.ts';
import { leftOut, type Sifted, said } from './skipped.ts';

/** An item of `spec.zones`, but for its records. */
export interface Settings {
  name: string;
  nameServers?: string[];
  soa?: SOA;
  defaultTTL?: number;
}

/** What a zone file says of its zone as a whole. Throws when no InternalDNS can have such a zone. */
export function settingsOf(file: ZoneFile, name: string): Sifted<Settings> {
  const servers = nameServersOf(file, name);
  const soa = soaOf(file, name);
  const kept: Settings = {
    name,
    ...(servers.kept.length > 0 && { nameServers: servers.kept }),
    ...(Object.keys(soa.kept).length > 0 && { soa: soa.kept }),
    ...(file.defaultTTL !== undefined && { defaultTTL: file.defaultTTL }),
  };
  const [issue] = schema.safeParse(kept).error?.issues ?? [];
  if (issue) throw new Error(said(issue));
  return { kept, notes: [...servers.notes, ...soa.notes] };
}

/** What the schema says of one setting, whatever the others are. */
const issueOf = (name: string, setting: Omit<Settings, 'name'>) =>
  schema.safeParse({ name, ...setting }).error?.issues.find(({ path }) => Object.hasOwn(setting, path[0] ?? ''));

function nameServersOf({ nameServers }: ZoneFile, name: string): Sifted<string[]> {
  const kept: string[] = [];
  const notes: string[] = [];
  for (const [server, places] of Map.groupBy(nameServers, (each) => withoutDot(each.name))) {
    const issue = issueOf(name, { nameServers: [...kept, server] });
    if (issue) notes.push(leftOut(`${places[0]?.at} (NS ${server})`, said(issue)));
    else kept.push(server);
  }
  return { kept, notes };
}

function soaOf({ soa }: ZoneFile, name: string): Sifted<SOA> {
  if (!soa) return { kept: {}, notes: [] };
  const { at, mname, rname, ...times } = soa;
  const kept: Record<string, string | number> = {};
  const notes: string[] = [];
  for (const [field, value] of Object.entries({ mname: withoutDot(mname), rname: withoutDot(rname), ...times })) {
    const chosen: SOA = { [field]: value };
    const issue = issueOf(name, { soa: chosen });
    const fault = issue ?? soaFaults(chosen)[0];
    if (typeof value === 'number' && issue?.code === 'too_big') {
      kept[field] = Number(issue.maximum);
      notes.push(`${at}: soa.${field} ${value} is more than there may be: taken is ${issue.maximum}`);
    } else if (fault) notes.push(leftOut(`${at} (soa.${field} ${value})`, said(fault)));
    else kept[field] = value;
  }
  return { kept, notes };
}
