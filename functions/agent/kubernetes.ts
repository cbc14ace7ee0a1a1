import type { Logger } from 'pino';
import { Cluster, inCluster } from './cluster/cluster.ts';
import { StorageClaim } from './cluster/storage-claim.ts';
import type { Complaints } from './complaints.ts';
import { Events } from './events/events.ts';
import type { Options } from './options.ts';
import type { PowerDNS } from './powerdns/powerdns.ts';
import { SecretKeys } from './signing/secret.ts';
import { Signer } from './signing/signer.ts';
import type { Surroundings } from './surroundings.ts';
import { referenceOf } from './view/reference.ts';
import { View } from './view/view.ts';

export interface KubernetesOptions {
  names: NonNullable<Options['cluster']>;
  powerdns: PowerDNS;
  /** Where what is found out goes. */
  surroundings: Surroundings;
  /** The name of the InternalDNS. */
  instance: () => string;
  complaints: Complaints;
  log: Logger;
}

/** Everything that an agent has only where there is a cluster. */
export interface Kubernetes {
  cluster: Cluster;
  view: View;
  claim: StorageClaim;
  /** Keys are kept in the cluster; without one there is nothing to keep them in, and no zone is signed. */
  signer: Signer;
  events: Events;
}

export function kubernetesOf(options: KubernetesOptions): Kubernetes {
  const { names, powerdns, surroundings, instance, complaints, log } = options;
  const config = inCluster();
  const cluster = new Cluster({
    config,
    namespace: names.namespace,
    pod: names.pod,
    declared: names['declared-config-map'],
    status: names['status-config-map'],
    claim: names.claim,
  });
  const view = new View({
    config,
    complaints,
    onMissing: (missing) => {
      surroundings.missing = missing;
    },
    onServed: (served) => {
      surroundings.served = served;
    },
    onReach: (failure) => {
      surroundings.reach = failure;
    },
  });
  const claim = new StorageClaim({
    cluster,
    complaints,
    onRefusal: (refusal) => {
      surroundings.storage = refusal;
    },
  });
  const secret = names['keys-secret'];
  const signer = new Signer({ powerdns, keys: new SecretKeys(cluster, secret), secret: `Secret ${secret}`, log });
  const events = new Events({
    create: (event) => cluster.createEvent(event),
    claimOf: (resource) => view.claims.known(resource),
    referenceOf,
    instance,
    reporter: names.pod,
    complaints,
  });
  return { cluster, view, claim, signer, events };
}
