import type { Declaration } from '../../contract/declaration.ts';
import type { Names } from '../names.ts';
import { ownService, typeOf } from '../server/service-schema.ts';
import type { Spec } from '../spec.ts';

const servicesIn = ({ service, additionalServices }: Spec) => [{ ...service, name: ownService }, ...additionalServices];

/** The Services in a tailnet: the one whose split DNS is kept first. */
export const tailnetServicesIn = (spec: Spec) =>
  servicesIn(spec)
    .filter(({ tailscale }) => tailscale !== undefined)
    .sort((a, b) => Number(b.tailscale?.splitDNS !== undefined) - Number(a.tailscale?.splitDNS !== undefined));

/** What the agent needs to keep the split DNS of a tailnet. Undefined if it does not. */
export function declaredSplitDNS(spec: Spec, names: Names): Declaration['splitDNS'] {
  const service = servicesIn(spec).find(({ tailscale }) => tailscale?.splitDNS);
  if (!service?.tailscale?.splitDNS) return undefined;
  const { credentials, tailnet, apiURL } = service.tailscale.splitDNS;
  return {
    service: service.name === ownService ? names.server : names.service(service.name),
    addresses: service.addresses,
    secret: credentials.secretRef.name,
    tailnet,
    apiURL,
  };
}

/** Whether clients outside the cluster come through tailnets only. */
export function isTailnetOnly(spec: Spec): boolean {
  const outer = servicesIn(spec).filter((service) => typeOf(service) !== 'ClusterIP');
  return outer.length > 0 && outer.every(({ tailscale }) => tailscale !== undefined);
}
