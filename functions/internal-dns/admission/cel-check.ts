import { hostRules, parsePattern, reservedNameMessage, zoneServerMessage } from '../../contract/host-rules.ts';
import { withoutDot } from '../../dns/name.ts';
import { nameServersOf } from '../../dns/zone/apex.ts';
import type { SpecZone } from '../zones/zone.ts';
import { literal } from './kind.ts';

/** A check of hosts in CEL. */
export interface CELCheck {
  /** The CEL variable that lists the hosts that fail it. */
  name: string;
  /** The variable of the hosts that are checked. */
  of: 'hosts' | 'inside';
  /** Whether `h`, a host with a leading dot, fails the check. */
  cel: string;
  message: string;
}

/** The rules for hosts in all instances, which the agent enforces, too. */
export const illegal: readonly CELCheck[] = hostRules.flatMap(({ name, cel, message }) =>
  cel === undefined ? [] : [{ name, of: 'inside', cel, message }],
);

/** Fails for names that no object can have in this instance. */
export function taken(zones: readonly SpecZone[], reservedNames: readonly string[]): CELCheck[] {
  const servers = zones.flatMap((zone) => nameServersOf(zone).map(withoutDot));
  const patterns = reservedNames.map(parsePattern);
  const namesOf = (isBelow: boolean) => patterns.filter((p) => p.isBelow === isBelow).map(({ name }) => name);
  return [
    listed('server', servers, (list) => `h in ${list}`, zoneServerMessage),
    listed('reserved', namesOf(false), (list) => `h in ${list}`, reservedNameMessage),
    listed('reservedBelow', namesOf(true), (list) => `${list}.exists(d, h != d && h.endsWith(d))`, reservedNameMessage),
  ].flat();
}

function listed(name: string, names: string[], cel: (list: string) => string, message: string): CELCheck[] {
  const list = literal(names.map((each) => `.${each}`));
  return names.length > 0 && isListable(names) ? [{ name, of: 'inside', cel: cel(list), message }] : [];
}

/**
 * Whether a list fits, with the zones of the spec, into an expression: Kubernetes limits one to 100,000 characters. A longer
 * list is left to the agent.
 */
export const isListable = (names: string[]): boolean => literal(names.map((each) => `.${each}`)).length < 80_000;

/** CEL: whether the instance has a zone for `h`. */
export const inZone = 'variables.zones.exists(z, h.endsWith(z))';

/** Fails for hosts in none of the instance's zones. */
export function outside(zones: readonly SpecZone[], composite: string): CELCheck {
  const shown = zones.slice(0, 8).map(({ name }) => name);
  const more = zones.length > shown.length ? ` or ${zones.length - shown.length} more` : '';
  return {
    name: 'outside',
    of: 'hosts',
    cel: `!${inZone}`,
    message: `outside the zones of InternalDNS ${composite}: use a name in ${shown.join(', ')}${more}`,
  };
}
