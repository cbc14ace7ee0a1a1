import type { WayIn, WaysIn } from '../contract/ways-in.ts';
import { clouds } from './clouds.ts';
import { clusterDNS } from './cluster-dns.ts';
import { computers } from './computers.ts';
import { meshVPNs } from './mesh-vpns.ts';
import { dnsPort, type Program, type Server, type Step, type Target, type Zone } from './program.ts';
import { resolvers } from './resolvers.ts';
import { routers } from './routers.ts';
import { wholeNetworks, wholeTailnets } from './whole-networks.ts';

/** Programs that reach the server in the same way. */
export interface Family {
  name: string;
  /** Whether they are pods, members of a tailnet, or others. */
  are: 'Pods' | 'Members' | 'Others';
  programs: readonly Program[];
}

/** The one table of what can forward zones: the page, docs/clients.md and the tests are made from it. */
export const families: readonly Family[] = [
  { name: 'DNS of clusters', are: 'Pods', programs: clusterDNS },
  { name: 'Resolvers of a network', are: 'Others', programs: resolvers },
  { name: 'Routers', are: 'Others', programs: routers },
  { name: 'Computers', are: 'Others', programs: computers },
  { name: 'Networks of clouds', are: 'Others', programs: clouds },
  { name: 'VPNs', are: 'Members', programs: meshVPNs },
];

/** What can have the server as its only one, if that answers for names outside the zones, too. */
export const wholeFamilies: readonly Family[] = [
  { name: 'A whole network', are: 'Others', programs: wholeNetworks },
  { name: 'A whole tailnet', are: 'Members', programs: wholeTailnets },
];

/** What there is to connect to. */
export interface Reach extends WaysIn {
  zones: readonly Zone[];
  /** Where the pods of the cluster reach it on port 53. */
  clusterIPs: readonly string[];
}

/** What to paste where. */
export interface Guide {
  /** The name of the InternalDNS. */
  instance: string;
  zones: readonly Zone[];
  ways: readonly WayIn[];
  notes: readonly string[];
  answersAll?: true;
  families: readonly {
    name: string;
    /** The way in that the family takes. */
    service: string;
    servers: readonly Server[];
    /** What to know about that way in. */
    caution?: string;
    programs: readonly { id: string; name: string; steps: readonly Step[] }[];
  }[];
}

/**
 * @param service the way in of all but pods; without one, the best for each family
 * @throws if there is no such way in
 */
export function guideOf(instance: string, reach: Reach, service?: string): Guide {
  const { zones, clusterIPs, ways, notes, answersAll = false } = reach;
  const chosen = wayNamed(service, ways);
  const pods = ways[0] && { ...ways[0], servers: podServers(ways[0], clusterIPs) };
  return {
    instance,
    zones,
    ways,
    notes,
    ...(answersAll && { answersAll }),
    families: [...(answersAll ? wholeFamilies : []), ...families].flatMap(({ name, are, programs }) => {
      const way = are === 'Pods' ? pods : (chosen ?? bestOf(ways, are));
      if (!way || zones.length === 0) return [];
      const { servers } = way;
      const caution = cautionOf(way, are);
      const target = { zones, servers, answersAll };
      const listed = servers.length === 0 ? [] : programs;
      return [
        {
          name,
          service: way.service,
          servers,
          ...(caution && { caution }),
          programs: listed.map((program) => ({ id: program.id, name: program.name, steps: stepsOf(program, target) })),
        },
      ];
    }),
  };
}

/** Throws if it does not exist. */
export function wayNamed(service: string | undefined, ways: readonly WayIn[]): WayIn | undefined {
  const way = ways.find((each) => each.service === service);
  if (way || service === undefined) return way;
  const known = ways.map((each) => each.service).join(', ');
  throw new Error(`unknown way in ${service}: ${known === '' ? 'none is known yet' : `use one of ${known}`}`);
}

/** Pods take the cluster IPs, whatever the type of the Service is: these never change, and need no load balancer. */
const podServers = ({ servers }: WayIn, clusterIPs: readonly string[]): Server[] =>
  clusterIPs.length > 0 ? clusterIPs.map((address) => ({ address, port: dnsPort })) : servers;

/** The first that others than pods reach; for members of a tailnet the first that is in it. */
function bestOf(ways: readonly WayIn[], are: Family['are']): WayIn | undefined {
  const open = ways.filter(({ type, servers }) => type !== 'ClusterIP' && servers.length > 0);
  const inTailnet = open.filter(({ servers }) => servers.some(isInTailnet));
  const others = open.filter((way) => !inTailnet.includes(way));
  const [first] = are === 'Members' ? [...inTailnet, ...others] : [...others, ...inTailnet];
  return first ?? ways[0];
}

/** Tailscale's addresses: https://tailscale.com/kb/1015/100.x-addresses, https://tailscale.com/kb/1033/ip-and-dns-addresses */
const isInTailnet = ({ address }: Server) =>
  /^100\.(?:6[4-9]|[7-9]\d|1[01]\d|12[0-7])\.|^fd7a:115c:a1e0:/.test(address);

function cautionOf({ service, type, servers, hostname }: WayIn, are: Family['are']): string | undefined {
  if (servers.length === 0)
    return hostname === undefined
      ? `the way in ${service} has no address yet`
      : `the way in ${service} has only the name ${hostname}, to which no resolver can forward`;
  if (are === 'Pods' || type !== 'ClusterIP') return undefined;
  return `the way in ${service} has cluster IPs, which usually only nodes and pods reach: add one of type LoadBalancer or NodePort to spec.additionalServices`;
}

function stepsOf({ name, ports, steps }: Program, { servers, ...target }: Target): Step[] {
  const reachable = ports === 'Any' ? servers : servers.filter(({ port }) => port === dnsPort);
  if (reachable.length > 0) return steps({ ...target, servers: reachable });
  const taken = [...new Set(servers.map(({ port }) => port))].join(', ');
  return [
    {
      text: `${name} can only ask on port ${dnsPort}, and this way in has port ${taken}: add one of type LoadBalancer to spec.additionalServices, or let a resolver of the network forward the zones.`,
    },
  ];
}
