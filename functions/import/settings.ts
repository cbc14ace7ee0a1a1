import { withoutDot } from '../dns/name.ts';
import { type SOA, soaIssues } from '../dns/rdata/soa.ts';
import type { ZoneFile } from '../dns/zone-file/zone-file.ts';
import { zone as schema } from '../internal-dns/zones/zone.ts';
import { type Imported, issueText, skippedNote } from './notes.ts';

/** An item of `spec.zones` without its records. */
export interface Settings {
  name: string;
  nameServers?: string[];
  soa?: SOA;
  defaultTTL?: number;
}

/** The settings of the zone in a zone file. Throws if no InternalDNS can have such a zone. */
export function settingsOf(file: ZoneFile, name: string): Imported<Settings> {
  const servers = nameServersOf(file, name);
  const soa = soaOf(file, name);
  const value: Settings = {
    name,
    ...(servers.value.length > 0 && { nameServers: servers.value }),
    ...(Object.keys(soa.value).length > 0 && { soa: soa.value }),
    ...(file.defaultTTL !== undefined && { defaultTTL: file.defaultTTL }),
  };
  const [issue] = schema.safeParse(value).error?.issues ?? [];
  if (issue) throw new Error(issueText(issue));
  return { value, notes: [...servers.notes, ...soa.notes] };
}

/** The schema's issue with one setting. */
const issueOf = (name: string, setting: Omit<Settings, 'name'>) =>
  schema.safeParse({ name, ...setting }).error?.issues.find(({ path }) => Object.hasOwn(setting, path[0] ?? ''));

function nameServersOf({ nameServers }: ZoneFile, name: string): Imported<string[]> {
  const value: string[] = [];
  const notes: string[] = [];
  for (const [server, places] of Map.groupBy(nameServers, (each) => withoutDot(each.name))) {
    const issue = issueOf(name, { nameServers: [...value, server] });
    if (issue) notes.push(skippedNote(`${places[0]?.at} (NS ${server})`, issueText(issue)));
    else value.push(server);
  }
  return { value, notes };
}

function soaOf({ soa }: ZoneFile, name: string): Imported<SOA> {
  if (!soa) return { value: {}, notes: [] };
  const { at, mname, rname, ...times } = soa;
  const fields: Record<string, string | number> = {};
  const notes: string[] = [];
  for (const [field, value] of Object.entries({ mname: withoutDot(mname), rname: withoutDot(rname), ...times })) {
    const chosen: SOA = { [field]: value };
    const issue = issueOf(name, { soa: chosen });
    const problem = issue ?? soaIssues(chosen)[0];
    if (typeof value === 'number' && issue?.code === 'too_big') {
      fields[field] = Number(issue.maximum);
      notes.push(`${at}: soa.${field} ${value} is too large: using ${issue.maximum}`);
    } else if (problem) notes.push(skippedNote(`${at} (soa.${field} ${value})`, issueText(problem)));
    else fields[field] = value;
  }
  return { value: fields, notes };
}
