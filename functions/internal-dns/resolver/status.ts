import * as z from 'zod';
import type { Condition, KubernetesObject } from '../../cdk8s-function-xp/composition.ts';
import type { Report } from '../../contract/report.ts';
import { no, yes } from '../condition.ts';
import { type Names, resolverLabels } from '../names.ts';
import type { Endpoints } from '../server/service.ts';
import type { Spec } from '../spec.ts';
import { addressOf, upstreamsOf } from './backends.ts';
import { encrypted } from './dnsdist.ts';
import type { Resolver } from './settings.ts';
import type { SwitchOver } from './switch-over.ts';
import { parseUpstreamAddress } from './upstream-address.ts';

export const resolverStatus = z.object({
  since: z
    .string()
    .optional()
    .describe('Time since which Services lead to the resolver, in RFC 3339. Unset until they do.'),
  addresses: z
    .array(z.string())
    .describe('Addresses at which clients reach the resolver, of all Services. Empty until Services lead to it.'),
  upstreams: z
    .array(
      z.object({
        address: z.string().describe('Address of the upstream with its port.'),
        state: z
          .string()
          .describe('Up or Down, in the worst case of all pods. Unknown until an agent has reported it.'),
      }),
    )
    .describe('State of each upstream.'),
});

/** What the state of the resolver is derived from. */
export interface ResolverInput {
  spec: Spec;
  names: Names;
  endpoints: Endpoints;
  reports: readonly (Report | undefined)[];
  switchOver: Pick<SwitchOver, 'leads' | 'since' | 'pods'>;
  /** The addresses of other InternalDNSes, by view. */
  viewServers: ReadonlyMap<string, readonly string[]>;
  /** Whether there has ever been a resolver. */
  hadResolver: boolean;
}

type State = 'Up' | 'Down' | 'Unknown';

export function resolverStatusOf(input: ResolverInput): z.output<typeof resolverStatus> | undefined {
  const { resolver } = input.spec;
  if (!resolver) return undefined;
  const { leads, since } = input.switchOver;
  return {
    ...(since && { since }),
    addresses: leads ? [...new Set(input.endpoints.all.flatMap(({ addresses }) => addresses))] : [],
    upstreams: upstreamStates(resolver, input.reports),
  };
}

/** The worst state of each upstream, as agents report it. */
function upstreamStates({ forward }: Resolver, reports: ResolverInput['reports']) {
  const reported = reports.flatMap((report) => report?.resolver?.upstreams ?? []);
  const addresses = forward ? [...new Set(upstreamsOf(forward).map(({ address }) => address))] : [];
  return addresses.map((address) => {
    const states = reported.filter((each) => each.address === address).map(({ state }) => state);
    const state: State = states.includes('Down') ? 'Down' : (states[0] ?? 'Unknown');
    return { address, state };
  });
}

/**
 * Does not affect whether the composite is ready: own names are answered without any upstream. Undefined for one that never
 * had a resolver.
 */
export function resolverReady(input: ResolverInput): Condition | undefined {
  const type = 'ResolverReady';
  const { spec, names, reports, viewServers } = input;
  const { leads, pods } = input.switchOver;
  const { resolver, namespace } = spec;
  if (!resolver && !input.hadResolver) return undefined;
  if (!resolver) return yes(type, 'Off', 'resolver is not set: Services lead to the server itself');
  const circle = circleIn(resolver, input.endpoints) ?? reportedCircle(resolver, reports);
  if (circle) return no(type, 'Circle', circle);
  const missing = [...viewServers].flatMap(([view, addresses]) => {
    const { internalDNS } = resolver.views.find(({ name }) => name === view) ?? {};
    if (addresses.length > 0) return [];
    return [
      `resolver.views[${view}]: namespace ${namespace} has no InternalDNS ${internalDNS}, so that clients of this view get SERVFAIL: create it, or remove the view`,
    ];
  });
  if (missing.length > 0) return no(type, 'ViewMissing', missing.join('; '));
  if (!leads || !isRolledOut(pods, resolver.replicas)) {
    const selector = Object.entries(resolverLabels(names.composite)).map((label) => label.join('='));
    const secrets = encrypted.flatMap((field) => {
      const name = resolver[field]?.certificate.secretRef.name;
      return name === undefined ? [] : [`for resolver.${field} on the Secret ${name}`];
    });
    const cause = secrets.length > 0 ? ` (they wait ${secrets.join(', and ')}, with tls.crt and tls.key)` : '';
    const meanwhile = leads ? '' : '; until then Services lead to the server itself';
    return no(
      type,
      'PodsNotReady',
      `not every pod of the resolver is ready${cause}${meanwhile}; if this lasts: kubectl -n ${namespace} describe pod -l ${selector.join(',')}`,
    );
  }
  const certificates = certificateNotes(resolver, reports);
  if (certificates.failures.length > 0) return no(type, 'CertificateInvalid', certificates.failures.join('; '));
  const fault = forwardingFault(resolver, reports);
  if (fault) return fault;
  return yes(type, 'Resolving', certificates.warnings.join('; '));
}

/** Why names elsewhere are not answered, or only by some of the upstreams. */
function forwardingFault(resolver: Resolver, reports: ResolverInput['reports']): Condition | undefined {
  const type = 'ResolverReady';
  const down = upstreamStates(resolver, reports).flatMap(({ address, state }) => (state === 'Down' ? [address] : []));
  const failure = reports.find((report) => report?.resolver?.unforwarded !== undefined)?.resolver?.unforwarded;
  const { name, type: question } = resolver.forward?.check ?? { name: '.', type: 'NS' };
  const tested = failure === undefined ? [] : [`the question for ${name} ${question} gets no answer (${failure})`];
  if (down.length > 0) {
    const silent = `no answer from ${down.join(', ')}: see resolver.forward, and whether pods can reach it`;
    return no(type, 'UpstreamDown', [...tested, silent].join('; '));
  }
  if (tested.length === 0) return undefined;
  const upstreams = (resolver.forward?.upstreams ?? []).map(addressOf).join(', ');
  return no(
    type,
    'NotForwarding',
    `${tested.join()} from ${upstreams}: see whether it answers questions from this cluster, or set resolver.forward.check`,
  );
}

/** Of the worst report on each certificate. */
function certificateNotes(resolver: Resolver, reports: ResolverInput['reports']) {
  const reported = reports.flatMap((report) => report?.resolver?.certificates ?? []);
  const noted = (wanted: (typeof reported)[number]['state'], sentence: (notAfter: string) => string) =>
    encrypted.flatMap((field) => {
      const secret = resolver[field]?.certificate.secretRef.name;
      const found = reported.find((each) => each.field === field && each.state === wanted);
      if (secret === undefined || !found) return [];
      return [`resolver.${field}: the certificate in the Secret ${secret} ${sentence(found.notAfter ?? '')}`];
    });
  return {
    failures: [
      ...noted('Missing', () => 'cannot be used: correct tls.crt and tls.key, and delete the pods of the resolver'),
      ...noted('Expired', (notAfter) => `has expired at ${notAfter}: renew it`),
    ],
    warnings: noted('Expiring', (notAfter) => `expires at ${notAfter}: renew it`),
  };
}

/** Whether a composite has the condition: no longer returned it would stay, as Unknown. */
export const hadResolver = ({ status }: KubernetesObject): boolean =>
  (status?.conditions ?? []).some(({ type }: { type: string }) => type === 'ResolverReady');

/** An upstream that is this server, whose questions would never end. */
function circleIn({ forward }: Resolver, { all, replicas }: Endpoints): string | undefined {
  const own = new Set([...all, ...replicas].flatMap(({ addresses, clusterIPs }) => [...addresses, ...clusterIPs]));
  const upstreams = [...(forward?.upstreams ?? []), ...(forward?.zones.flatMap(({ upstreams }) => upstreams) ?? [])];
  const circle = upstreams.find(({ address }) => own.has(parseUpstreamAddress(address)?.ip ?? ''));
  return circle && `resolver.forward: upstream ${addressOf(circle)} is this server itself: name another one`;
}

/** A circle that agents have found by asking, through others in between. */
function reportedCircle({ forward }: Resolver, reports: ResolverInput['reports']): string | undefined {
  const found = new Set(reports.flatMap((report) => report?.resolver?.circles ?? []));
  const circle = (forward?.upstreams ?? []).map(addressOf).find((address) => found.has(address));
  return (
    circle &&
    `resolver.forward: upstream ${circle} asks this resolver, so that questions go round: let it ask another server, or name another one`
  );
}

/** Whether every pod is ready, and has the present configuration. */
function isRolledOut(pods: KubernetesObject | undefined, replicas: number): boolean {
  const { readyReplicas = 0, updatedReplicas = 0 } = pods?.status ?? {};
  return readyReplicas >= replicas && updatedReplicas >= replicas;
}
