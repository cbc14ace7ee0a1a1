/** Zone files of various servers, each with its expected records in `FILE.entries`, one per line. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Entry } from '../../../functions/dns/zone/rrset.ts';

export interface ZoneFixture {
  path: string;
  text: string;
  /** Absolute. */
  zone: string;
  /** In the format of `printed`. */
  entries: string[];
}

/** One line for an entry: `line 17: www.corp.internal. 300 A 192.0.2.80`. */
export const printed = ({ at, name, ttl, type, content }: Entry) => `${at}: ${name} ${ttl} ${type} ${content}`;

const zones = {
  'corp.zone': 'corp.internal.',
  'bind.zone': 'corp.internal.',
  'windows.dns': 'corp.internal.',
  'dig.axfr': 'corp.internal.',
  '64-26.zone': '64/26.2.0.192.in-addr.arpa.',
  '2.0.192.zone': '2.0.192.in-addr.arpa.',
};

export type FixtureName = keyof typeof zones;
export const fixtureNames = Object.keys(zones) as FixtureName[];

export function fixture(name: FixtureName): ZoneFixture {
  const path = join(import.meta.dirname, 'fixtures', name);
  const entries = readFileSync(path.replace(/\.\w+$/, '.entries'), 'utf8')
    .trimEnd()
    .split('\n');
  return { path, text: readFileSync(path, 'utf8'), zone: zones[name], entries };
}
