import * as z from 'zod';
import { ipAddress, type Rule, withRules } from '../../contract/rules.ts';
import { annotations } from '../object-metadata.ts';
import { publishedAddresses, type ServicesSpec, serviceNamed, typeOf } from './service-schema.ts';

const override = z.object({
  annotations: annotations()
    .default({})
    .describe('Annotations beside those of the advertised Service, such as one that requests an address.'),
  loadBalancerIP: ipAddress('loadBalancerIP').optional().describe('Address to request from the load balancer.'),
  addresses: publishedAddresses,
});

type Override = z.output<typeof override>;

const overrides = withRules(z.array(override).max(5).default([]), {
  cel: 'self.all(o, !has(o.loadBalancerIP) || self.exists_one(p, has(p.loadBalancerIP) && p.loadBalancerIP == o.loadBalancerIP))',
  holds: (list: Override[]) => {
    const requested = list.flatMap(({ loadBalancerIP }) => loadBalancerIP ?? []);
    return new Set(requested).size === requested.length;
  },
  message: 'replicaServices.overrides has a loadBalancerIP twice: each replica needs its own',
})
  .meta({ 'x-kubernetes-list-type': 'atomic' })
  .describe('What the Services have of their own, in the order of the replicas.');

export const replicaServices = z
  .object({
    mode: z
      .enum(['Each', 'None'])
      .default('Each')
      .describe(
        'With Each and two or more replicas, each replica has a Service of its own as well, with the settings of the advertised one but an address of its own, and the zones have a name server for each: ns1, ns2 and so on. Resolvers that know all of them lose no time when a node dies. None where addresses are few or cost money, and with ServiceLB of k3s, which can give away port 53 of a node only once.',
      ),
    overrides,
  })
  .prefault({})
  .describe(
    'Services of single replicas, idns-<name>-0 and so on. They have both protocols or do not exist: with one protocol in the advertised Service there are none.',
  );

interface ReplicasSpec extends ServicesSpec {
  replicas: number;
  replicaServices: z.output<typeof replicaServices>;
}

const balancers = "(has(s.type) && s.type == 'LoadBalancer') || has(s.tailscale)";

export const replicaServicesRules: Rule<ReplicasSpec>[] = [
  {
    cel: `!has(self.replicaServices.overrides) || self.replicaServices.overrides.all(o, !has(o.loadBalancerIP)) || (self.advertise == 'service' ? [self.service].exists(s, ${balancers}) : self.additionalServices.exists(s, s.name == self.advertise && (${balancers})))`,
    holds: (spec) =>
      typeOf(serviceNamed(spec, spec.advertise)) === 'LoadBalancer' ||
      spec.replicaServices.overrides.every(({ loadBalancerIP }) => loadBalancerIP === undefined),
    message:
      'replicaServices.overrides has a loadBalancerIP, but the advertised Service is no load balancer: leave it out',
  },
];

const has = (spec: 'self' | 'oldSelf') => `(${spec}.replicas > 1 && ${spec}.replicaServices.mode == 'Each')`;

/** Kubernetes cannot change the class of a load balancer, nor the first IP family, of a Service. */
export const replicaServicesTransition = {
  rule: `self.advertise == oldSelf.advertise || !${has('self')} || !${has('oldSelf')}`,
  message:
    'advertise cannot change while replicas have Services with the settings of the advertised one: set replicaServices.mode to None first',
};
