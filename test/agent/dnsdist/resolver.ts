/** A real dnsdist with the rendered configuration, and an agent's watch of it. */
import { DnsdistWatch } from '../../../functions/agent/dnsdist/dnsdist-watch.ts';
import type { ResolverState } from '../../../functions/agent/dnsdist/state.ts';
import { canaryZone } from '../../../functions/contract/canary-zone.ts';
import type { DeclaredResolver } from '../../../functions/contract/declaration.ts';
import { namesOf } from '../../../functions/internal-dns/names.ts';
import type { Servers } from '../../../functions/internal-dns/resolver/backends.ts';
import { declaredResolver } from '../../../functions/internal-dns/resolver/declaration.ts';
import { dnsdistFilesFor } from '../../../functions/internal-dns/resolver/dnsdist.ts';
import { parseSpec } from '../../../functions/internal-dns/spec.ts';
import { type RunningDnsdist, startDnsdist } from '../../dnsdist/server.ts';
import { internalDNSOf } from '../../internal-dns/refusals.ts';

export interface Resolver {
  dnsdist: RunningDnsdist;
  declared: DeclaredResolver;
}

export interface ResolverOptions {
  /** Fields of the spec. */
  fields: object;
  /** Ports on 127.0.0.1, by address: of the server first, which needs the zone of the self-test, then of upstreams. */
  ports: Record<string, number>;
  certificates?: Record<string, string>;
}

export async function startResolver({ fields, ports, certificates = {} }: ResolverOptions): Promise<Resolver> {
  const resolver = { allowFrom: ['127.0.0.0/8'], ...fields };
  const spec = parseSpec(internalDNSOf({ zones: [{ name: 'corp.internal' }], resolver }));
  const [own = ''] = Object.keys(ports);
  const servers: Servers = { own: [own], views: new Map(), families: ['IPv4'] };
  const backends = Object.fromEntries(Object.entries(ports).map(([address, port]) => [`${address}:53`, port]));
  const files = dnsdistFilesFor(spec, spec.resolver!, servers);
  const dnsdist = await startDnsdist({ files, probe: canaryZone.slice(0, -1), certificates, backends });
  const declared = declaredResolver(spec, spec.resolver!, namesOf('corp', 1), servers);
  const { agents, metrics, dot: doT, doh: doH } = dnsdist.ports;
  const at = { doT, doH };
  return {
    dnsdist,
    declared: {
      ...declared,
      ports: { agents, metrics },
      certificates: declared.certificates.map(({ field }) => ({ field, port: at[field] })),
    },
  };
}

/** @param days how many days from now it takes today for */
export function watchOf({ declared }: Pick<Resolver, 'declared'>, { days = 0, ips = ['127.0.0.1'] } = {}) {
  const failures = new Map<string, string | undefined>();
  let state: ResolverState | undefined;
  const watched = new DnsdistWatch({
    cluster: {
      watchEndpoints: (_, onChange) => {
        onChange({ metadata: { name: '' }, subsets: [{ addresses: ips.map((ip) => ({ ip })) }] });
        return () => {};
      },
      readPod: async () => undefined,
    },
    resolver: () => declared,
    onState: (reported) => {
      state = reported;
    },
    failureLog: { record: (action, failure) => failures.set(action, failure) },
    today: () => Date.now() + days * 24 * 60 * 60 * 1000,
  });
  return {
    watched,
    failures,
    /** Looks once, and returns what is reported. */
    async poll() {
      await watched.poll();
      return state;
    },
  };
}
