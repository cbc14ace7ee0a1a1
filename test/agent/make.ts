/** Builders for declarations, endpoints, zones and agents. */
import { pino } from 'pino';
import { Agent, type AgentOptions } from '../../functions/agent/agent.ts';
import type { Endpoint } from '../../functions/agent/discovery/endpoint.ts';
import { declaredAccount, discoveredMark, type RRset, type Zone } from '../../functions/agent/powerdns/rrset.ts';
import { desiredZones } from '../../functions/agent/zones/desired-zone.ts';
import { planZones } from '../../functions/agent/zones/plan.ts';
import type { ZoneFiles } from '../../functions/agent/zones/zone-file.ts';
import type { Declaration, DeclaredZone } from '../../functions/contract/declaration.ts';
import type { DeclaredRecord } from '../../functions/dns/record.ts';
import { type DeclarationChanges, declarationWith } from '../contract/declared.ts';
import { MemoryZones } from './zones/memory-zones.ts';

export const corp = { name: 'corp.internal', nameServers: [] };

/** A declaration of the zone corp.internal, with discovery. */
export const declare = (changes: DeclarationChanges = {}): Declaration =>
  declarationWith({ zones: [corp], addresses: ['192.0.2.53'], discovery: {}, ...changes });

export const zones = (...names: string[]) => names.map((name) => ({ name, nameServers: [] as string[] }));

/** `record('www', 'A', '192.0.2.1')` */
export const record = (name: string, type: DeclaredRecord['type'], ...values: string[]): DeclaredRecord => ({
  name,
  type,
  values,
});

/** A declared zone with records. */
export const zoneWith = (name: string, records: DeclaredRecord[], more: Partial<DeclaredZone> = {}): DeclaredZone => ({
  name,
  nameServers: [],
  records,
  ...more,
});

/** A reference to a zone file, the mark of its records, and its content: a text, or why it cannot be read. */
export const fileRef = { configMap: 'zones', key: 'corp' };
export const fileMark = { account: declaredAccount, content: 'ConfigMap zones, key corp' };
export const fileOf = (...lines: string[]): ZoneFiles => new Map([[fileMark.content, { text: lines.join('\n') }]]);
export const noFile = (failure: string): ZoneFiles => new Map([[fileMark.content, { failure }]]);

/** Returns the zones after a reconciliation of `present`. Throws if a change is rejected. */
export async function reconciled(...[declaration, present, ...more]: Parameters<typeof changesFor>): Promise<Zone[]> {
  const database = new MemoryZones(structuredClone(present));
  const { create, patch, remove } = changesFor(declaration, present, ...more);
  for (const { name, rrsets } of create) await database.create(name, rrsets);
  for (const { zone, changes } of patch) {
    const [rejected] = await database.apply(zone, changes);
    if (rejected) throw new Error(rejected.message);
  }
  for (const zone of remove) await database.remove(zone);
  return database.zones();
}

/** Returns the changes that a reconciliation of `present` makes. */
export const changesFor = (declaration: Declaration, present: Zone[], files?: ZoneFiles, lua?: boolean) =>
  planZones(desiredZones(declaration, files), present, {
    discovers: declaration.discovery !== undefined,
    reverse: declaration.discovery?.reverse === true,
    ownershipTXT: declaration.discovery?.ownershipTXT,
    reservedNames: declaration.discovery?.reservedNames,
    ...(lua !== undefined && { lua }),
  });

/** `endpoint('ingress/a/web', 'www.corp.internal', 'A', '192.0.2.1')` */
export const endpoint = (resource: string, dnsName: string, recordType: string, ...targets: string[]): Endpoint => ({
  dnsName,
  targets,
  recordType,
  labels: { resource },
});

/** An RRset that was discovered for an object, marked with it. */
export const discoveredRRset = (resource: string, name: string, type: string, ...records: string[]): RRset => ({
  name,
  type,
  ttl: 60,
  records,
  mark: discoveredMark('corp', resource),
});

export const foreign = (name: string, type: string, ...records: string[]): RRset => ({ name, type, ttl: 60, records });

/** A reconciled zone, with more RRsets in it. */
export function zone(name = 'corp.internal', more: RRset[] = [], declaration = declare({ zones: zones(name) })): Zone {
  const rrsets = desiredZones(declaration).get(`${name}.`)?.rrsets ?? [];
  return { name: `${name}.`, id: `${name}.`, account: declaredAccount, rrsets: [...rrsets, ...more] };
}

/** Creates an agent with zones in memory. Returns it with its clock, its log and the names that do not resolve. */
export function makeAgent(database = new MemoryZones(), options: Partial<AgentOptions> = {}) {
  const log: Record<string, unknown>[] = [];
  const clock = { now: 0 };
  const agent = new Agent({
    database,
    answers: async () => true,
    log: pino({ base: null }, { write: (line) => void log.push(JSON.parse(line)) }),
    now: () => clock.now,
    ...options,
  });
  return {
    agent,
    database,
    log,
    clock,
    declare: (declaration: Declaration) => agent.setDeclaration(JSON.stringify(declaration)),
    problems: () => {
      agent.explain();
      return agent.report()?.names?.problems;
    },
  };
}
