import { trustedLabels } from '../../contract/declaration.ts';
import { withoutDot } from '../../dns/name.ts';
import { nameServersOf } from '../../dns/zone/apex.ts';
import { hostLabel } from '../name-form.ts';
import type { SpecZone } from '../zones/zone.ts';
import { isDNSEndpoint, literal } from './kind.ts';

/** Something that may be wrong with a host. */
export interface CELCheck {
  /** The CEL variable that lists such hosts. */
  name: string;
  /** The variable of those that are judged. */
  of: 'hosts' | 'inside';
  /** CEL over `h`, a host with a dot before it. */
  holds: string;
  message: string;
}

const fault = (name: string, holds: string, message: string): CELCheck => ({ name, of: 'inside', holds, message });

const isMisspelt = `${isDNSEndpoint} ? !h.matches("^([.][*])?([.][-_/a-z0-9]+)+$") : !h.matches("^([.][*])?([.]${hostLabel})+$")`;

/** What the agent refuses as well, whatever the instance. Names with letters beyond ASCII are left to it. */
export const illegal: readonly CELCheck[] = [
  fault('long', 'size(h) > 254', 'longer than 253 characters (RFC 1035 section 2.3.4)'),
  fault('empty', 'h.contains("..") || h.endsWith(".")', 'has an empty label: write single dots, between labels'),
  // ExternalDNS drops these without a word.
  fault('wide', 'h.matches("[^.]{64}")', 'has a label of more than 63 characters (RFC 1035 section 2.3.4)'),
  fault(
    'underscored',
    `h.contains("._") && !(${isDNSEndpoint})`,
    'names that begin with an underscore are not for discovery',
  ),
  ...Object.entries(trustedLabels).map(([label, harm]) => fault(label, `h.startsWith(".${label}.")`, harm)),
  fault(
    'misspelt',
    `(${isMisspelt}) && !h.matches("[^\\\\x00-\\\\x7f]")`,
    'a host has labels of letters, digits and inner hyphens, or * as its whole first label (RFC 1123 section 2.1)',
  ),
];

/** Names that are somebody's already. */
export function taken(zones: readonly SpecZone[], reservedNames: readonly string[]): CELCheck[] {
  const servers = zones.flatMap((zone) => nameServersOf(zone).map((server) => `.${withoutDot(server)}`));
  // As in discovery/tenants.ts: a name, `*.name` for all below it, or `[*].name` for that wildcard alone.
  const below = reservedNames.filter((pattern) => pattern.startsWith('*.')).map((pattern) => pattern.slice(1));
  const exact = reservedNames
    .filter((pattern) => !pattern.startsWith('*.'))
    .map((pattern) => `.${pattern.replace('[*]', '*')}`);
  return [
    listed('server', servers, (list) => `h in ${list}`, "the name of a zone's own server"),
    listed('reserved', exact, (list) => `h in ${list}`, 'a reserved name'),
    listed('reservedBelow', below, (list) => `${list}.exists(d, h != d && h.endsWith(d))`, 'a reserved name'),
  ].flat();
}

/** Kubernetes reads expressions of 100,000 characters; a longer list is left to the agent. */
function listed(name: string, list: string[], holds: (list: string) => string, message: string): CELCheck[] {
  const text = literal(list);
  return list.length > 0 && text.length < 90_000 ? [fault(name, holds(text), message)] : [];
}

/** CEL over `h`: whether the instance has a zone for it. */
export const inZone = 'variables.zones.exists(z, h.endsWith(z))';

/** A name that the instance has no zone for. */
export function outside(zones: readonly SpecZone[], composite: string): CELCheck {
  const shown = zones.slice(0, 8).map(({ name }) => name);
  const more = zones.length > shown.length ? ` or ${zones.length - shown.length} more` : '';
  return {
    name: 'outside',
    of: 'hosts',
    holds: `!${inZone}`,
    message: `outside the zones of InternalDNS ${composite}: use a name in ${shown.join(', ')}${more}`,
  };
}
