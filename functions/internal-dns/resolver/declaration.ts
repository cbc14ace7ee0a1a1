import type { DeclaredResolver } from '../../contract/declaration.ts';
import { type Names, resolverPorts } from '../names.ts';
import { typeOf } from '../server/service-schema.ts';
import type { Spec } from '../spec.ts';
import { isForAll, type Servers, upstreamsOf } from './backends.ts';
import { circleOf } from './circle.ts';
import { encrypted } from './dnsdist.ts';
import type { Resolver } from './settings.ts';

/** What agents have to know of the resolver. */
export function declaredResolver(spec: Spec, resolver: Resolver, names: Names, servers: Servers): DeclaredResolver {
  const { forward } = resolver;
  const circle = circleOf(servers);
  const { agents, metrics, dot, doh } = resolverPorts;
  const ports = { doT: dot, doH: doh };
  return {
    service: names.resolver,
    ports: { agents, metrics },
    certificates: encrypted.flatMap((field) => (resolver[field] ? [{ field, port: ports[field] }] : [])),
    upstreams: (forward ? upstreamsOf(forward) : []).map((upstream) => ({
      name: upstream.name,
      address: upstream.address,
      ...(isForAll(upstream) && { circle: { domain: `${upstream.name}.${circle.domain}`, answer: circle.answer } }),
    })),
    ...(forward && forward.upstreams.length > 0 && { check: forward.check }),
    ...(hasNodePorts(spec) && { reportsNodes: true as const }),
  };
}

/** Whether clients come to nodes, of which the spec does not have the addresses. */
export const hasNodePorts = ({ service, additionalServices }: Spec): boolean =>
  [service, ...additionalServices].some((each) => typeOf(each) === 'NodePort' && each.addresses.length === 0);
