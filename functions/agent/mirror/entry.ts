import { hash } from 'node:crypto';
import * as z from 'zod';
import { withoutDot } from '../../dns/name.ts';
import { dataKey } from '../kubernetes/data-key.ts';
import { answerOf, type RRset } from '../powerdns/rrset.ts';

/** A mirrored RRset: one that follows neither from the declaration nor from objects. */
export interface Entry {
  /** Absolute. */
  zone: string;
  rrset: RRset;
  /** The PowerDNS account of an undeclared zone, with the zone's SOA. */
  account?: string;
}

const stored = z.object({
  zone: z.string(),
  name: z.string(),
  type: z.string().regex(/^[A-Z0-9-]{1,32}$/),
  ttl: z.int().nonnegative(),
  records: z.array(z.string()).min(1),
  mark: z.object({ account: z.string(), content: z.string() }).optional(),
  account: z.string().optional(),
});

export function textOf({ zone, rrset: { name, type, ttl, records, mark }, account }: Entry): string {
  return JSON.stringify({ zone, name, type, ttl, records, mark, account } satisfies Record<
    keyof z.input<typeof stored>,
    unknown
  >);
}

/** Parses the output of `textOf`. Undefined for anything else: anyone who may edit the mirror may write anything. */
export function entryOf(key: string, text: string): Entry | undefined {
  try {
    const { zone, account, mark, ...rrset } = stored.parse(JSON.parse(text));
    const entry = { zone, rrset: { ...rrset, ...(mark && { mark }) }, ...(account !== undefined && { account }) };
    return keyOfEntry(entry) === key ? entry : undefined;
  } catch {
    return undefined;
  }
}

/** Identifies an entry's content. The account matters only when its zone is created. */
export const digestOf = ({ rrset }: Entry) =>
  hash('sha256', `${answerOf(rrset)}${JSON.stringify(rrset.mark ?? null)}`, 'base64url').slice(0, 16);

/** Of a ConfigMap: https://kubernetes.io/docs/concepts/configuration/configmap/#configmap-object */
const longestKey = 253;

/**
 * Returns an entry's key: the zone, the type and the name relative to the zone, joined by two dots, such as
 * `corp.internal..A..www`. No label is empty, so keys are unique.
 */
export function keyOfEntry({ zone, rrset: { name, type } }: Pick<Entry, 'zone' | 'rrset'>): string {
  const relative = name === zone ? '' : name.slice(0, -zone.length - 1);
  const key = `${dataKey(withoutDot(zone))}..${type}..${dataKey(relative)}`;
  return key.length <= longestKey ? key : `${hash('sha256', key)}..${type}`;
}
