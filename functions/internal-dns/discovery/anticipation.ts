import type { Spec } from '../spec.ts';
import { hasListenerSets, hasTemplates, resolvesHostnames } from './extra-args.ts';
import { isReadByAgent, routes } from './kind.ts';
import { type SpecSource, serviceTypesOf } from './source.ts';

type Discovery = Pick<Spec['discovery'], 'anticipation' | 'extraArgs' | 'interval' | 'sources'>;

/**
 * Whether the agent reads from the objects of a source what ExternalDNS does. It does not know all kinds, and no templates,
 * which apply to all but DNSEndpoints:
 * https://github.com/kubernetes-sigs/external-dns/blob/v0.23.0/source/crd.go (fqdn-template=false)
 */
export function isAnticipated({ kind }: SpecSource, { anticipation, extraArgs }: Discovery): boolean {
  if (anticipation === 'Disabled' || !isReadByAgent(kind)) return false;
  return kind === 'DNSEndpoint' || !hasTemplates(extraArgs);
}

/** Whether only ExternalDNS can tell what some objects of a source ask for, such as Services of Pods and Nodes. */
function hasOthers(source: SpecSource, { extraArgs }: Discovery): boolean {
  if (routes.includes(source.kind)) return hasListenerSets(extraArgs);
  if (source.kind !== 'Service') return false;
  const types = serviceTypesOf(source);
  return types.includes('ClusterIP') || types.includes('NodePort') || resolvesHostnames(extraArgs);
}

/** The interval of ExternalDNS: long where it only confirms what the agent has published. */
export function intervalOf(discovery: Discovery): string {
  const isSeen = (source: SpecSource) => isAnticipated(source, discovery) && !hasOthers(source, discovery);
  return discovery.interval ?? (discovery.sources.every(isSeen) ? '10s' : '2s');
}
