import type { Endpoints } from '../kubernetes/object.ts';

/** A pod of the resolver that answers. */
export interface DnsdistPod {
  /** Undefined if the endpoint names no pod. */
  name: string | undefined;
  ip: string;
}

/** The most pods that are asked: the spec allows five, and during an update there is one more. */
const mostPods = 8;

/** The pods in the Endpoints of their Service, where each is listed once for every set of ports. */
export function podsIn(endpoints: Endpoints | undefined): DnsdistPod[] {
  const addresses = (endpoints?.subsets ?? []).flatMap(({ addresses }) => addresses ?? []);
  const pods = new Map(addresses.map(({ ip, targetRef }) => [ip, { name: targetRef?.name, ip }]));
  return [...pods.values()].slice(0, mostPods);
}
