import * as z from 'zod';
import type { Condition } from '../../cdk8s-function-xp/composition.ts';
import { printable } from '../../contract/printable.ts';
import { bounds, type Report } from '../../contract/report.ts';
import { no, yes } from '../condition.ts';
import { noAddress } from '../server/address-status.ts';
import type { Endpoint, Endpoints } from '../server/service.ts';
import type { Spec } from '../spec.ts';
import { byHand, byHandOf } from './by-hand.ts';
import { tailnetServicesIn } from './split-dns.ts';

export const tailnetStatus = z.object({
  service: z.string().describe('Name of the Service in the spec, as in addresses.'),
  hostname: z.string().optional().describe('Full name in the tailnet.'),
  addresses: z.array(z.string()).describe('Addresses in the tailnet. Empty while there are none.'),
  state: z
    .string()
    .describe(
      "Pending: Tailscale's operator has given no address yet. Failed: it cannot, and says why. Ready: it has.",
    ),
  message: z.string().optional().describe('What the operator says while the state is not Ready.'),
  byHand: byHand.optional().describe('How to complete the split DNS of the tailnet, if splitDNS is not set.'),
});

/** Conditions of the operator that say why a Service has no address: cmd/k8s-operator/svc.go. */
const failures = ['ProxyFailed', 'ProxyInvalid', 'IngressSvcInvalid'];

/** Of the Service whose split DNS is kept, or of the first one in a tailnet. Undefined if there is none. */
export function tailnetStatusOf(
  composite: string,
  spec: Spec,
  endpoints: Endpoints,
): z.output<typeof tailnetStatus> | undefined {
  const [settings] = tailnetServicesIn(spec);
  const endpoint = endpoints.all.find(({ service }) => service === settings?.name);
  if (!settings || !endpoint) return undefined;
  const { service, hostname, addresses } = endpoint;
  const isReady = addresses.length > 0;
  const said = isReady ? undefined : operatorOn(endpoint);
  const isByHand = isReady && !settings.tailscale?.splitDNS;
  return {
    service,
    ...(hostname && { hostname }),
    addresses,
    state: isReady ? 'Ready' : said?.isFinal ? 'Failed' : 'Pending',
    ...(said?.message && { message: said.message }),
    ...(isByHand && {
      byHand: byHandOf(
        composite,
        spec.zones.map(({ name }) => name),
        addresses,
      ),
    }),
  };
}

function operatorOn({ conditions }: Endpoint): { message: string; isFinal: boolean } | undefined {
  const condition = conditions.find(({ type, status }) => type.startsWith('Tailscale') && status === 'False');
  if (!condition) return undefined;
  const message = printable(condition.message ?? '').slice(0, bounds.message);
  return { message, isFinal: failures.includes(condition.reason ?? '') };
}

/** Does not affect whether the composite is ready: clients in the cluster are served without a tailnet. */
export function tailnetReady(spec: Spec, endpoints: Endpoints, reports: readonly (Report | undefined)[]): Condition {
  const type = 'TailnetReady';
  const services = tailnetServicesIn(spec);
  if (services.length === 0) return yes(type, 'Off', 'no Service has tailscale: this server is in no tailnet');
  const pending = services.flatMap(({ name }) => {
    const endpoint = endpoints.all.find(({ service }) => service === name);
    return (endpoint && noAddress(endpoint, spec)) ?? [];
  });
  if (pending.length > 0) return no(type, 'NoAddress', pending.join('; '));
  if (!services[0]?.tailscale?.splitDNS)
    return yes(
      type,
      'ByHand',
      'clients in the tailnet use this server once its split DNS is as in status.tailnet.byHand; to have it kept: set tailscale.splitDNS',
    );
  const report = reports.find((each) => each?.splitDNS)?.splitDNS;
  if (!report) return no(type, 'Waiting', 'the agent has not reported yet on the split DNS of the tailnet');
  const { state, message } = report;
  return state === 'Synced' ? yes(type, 'SplitDNSKept') : no(type, `SplitDNS${state}`, message ?? state);
}
